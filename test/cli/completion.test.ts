import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completionModel } from '../../lib/cli/completing/completion-model.ts'
import { ARGUMENT_CHOICES, CHOICES } from '../../lib/cli/program/choices.ts'
import { createProgram } from '../../lib/cli/program.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { cliProcesses } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const program = createProgram(async () => {}, '1')
const model = completionModel(program)
const place = temporaryDirectory('completion')
const store = join(place.path, 'store')
const bin = join(place.path, 'bin')
const evil = 'evil$(touch pwned):1'

beforeAll(async () => {
  await using opened = await openStore(store)
  for (const name of ['app:1.1', 'app:1.2', 'ghcr.io/o/tool:1']) await sampleImage(opened, [{ a: name }], { name })
  const index = JSON.parse(readFileSync(join(store, 'index.json'), 'utf8'))
  const [first] = index.manifests
  index.manifests.push({ ...first, annotations: { ...first.annotations, 'org.opencontainers.image.ref.name': evil } })
  writeFileSync(join(store, 'index.json'), JSON.stringify(index))
  mkdirSync(bin)
  mkdirSync(join(place.path, 'dist'))
  writeFileSync(join(place.path, 'some file.tar'), '')
  const { command } = cliProcesses(place.path, store)
  const words = command.map(word => `'${word}'`).join(' ')
  writeFileSync(join(bin, 'layerstore'), `#!/bin/sh\nexec ${words} "$@"\n`)
  chmodSync(join(bin, 'layerstore'), 0o755)
})
afterAll(() => place[Symbol.dispose]())

/** Runs a script of a shell, with the program in PATH, in a directory with a folder and an archive. */
function shell(file: string, args: readonly string[], script: string): string[] {
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: place.path, LAYERSTORE_STORE: store, TERM: 'dumb' }
  const text = execFileSync(file, [...args, script], { env, cwd: place.path, encoding: 'utf8' })
  return text.split('\n').filter(line => line !== '')
}

/** Completes lines in one bash, as Tab at the end of each does. */
function inBash(...lines: string[]): string[][] {
  const acts = lines.map(line => `complete_line ${quoted(line)}`).join('\n')
  const script = `source <(layerstore completion bash)
complete_line() {
  COMP_LINE=$1 COMP_POINT=\${#1} COMPREPLY=()
  _layerstore
  printf '%s\\n' "\${COMPREPLY[@]}" '--'
}
${acts}`
  return groups(shell('bash', ['--norc', '-c'], script))
}

/** Completes lines in one zsh; what would be shown is printed instead. */
function inZsh(...lines: string[]): string[][] {
  const acts = lines.map(line => `complete_line ${line.split(' ').map(quoted).join(' ')}`).join('\n')
  const script = `compdef() { }
source <(layerstore completion zsh)
compadd() { shift; print -l -- "$@" }
compset() { }
_describe() { print -l -- "\${(@P)@[-1]}" }
_files() { print -- "files $*" }
_message() { }
complete_line() {
  local -a words=("$@") ; local CURRENT=$#
  _layerstore
  print -- '--'
}
${acts}`
  return groups(shell('zsh', ['-f', '-c'], script))
}

/** Completes lines in one fish. */
function inFish(...lines: string[]): string[][] {
  const acts = lines.map(line => `complete -C ${quoted(line)}; echo ==`).join('\n')
  return groups(shell('fish', ['--no-config', '-c'], `layerstore completion fish | source\n${acts}`))
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function groups(lines: readonly string[]): string[][] {
  const found: string[][] = [[]]
  for (const line of lines) {
    if (line === '--' || line === '==') found.push([])
    else found.at(-1)!.push(line)
  }
  return found.slice(0, -1)
}

describe('the tables of words that options and arguments take', () => {
  test('name options and arguments that exist, and words that their help names', () => {
    const options = model.commands.flatMap(({ names, options }) =>
      options.flatMap(option => option.names.map(name => [`${names[0]} ${name}`, name, option.description] as const)),
    )
    for (const [key, words] of Object.entries(CHOICES)) {
      const described = options.filter(([own, name]) => own === key || name === key)
      expect(described, key).not.toEqual([])
      for (const word of words)
        expect(
          described.some(([, , text]) => text.includes(word)),
          `${key} ${word}`,
        ).toBe(true)
    }
    for (const [key, words] of Object.entries(ARGUMENT_CHOICES)) {
      const [command, at] = key.split(' ')
      expect(model.commands.find(({ names }) => names[0] === command)!.places[Number(at)]).toBe(words)
    }
  })
})

describe('the script for bash', () => {
  test.skipIf(!needsProgram('bash'))('completes commands, options, words, names, files and folders', () => {
    const lines = {
      'layerstore pu': ['pull', 'push'],
      'layerstore images --no': ['--no-trunc'],
      'layerstore images --filter x --dig': ['--digests'],
      'layerstore append scratch --compression ': ['gzip', 'zstd', 'none'],
      'layerstore append scratch --compression=z': ['zstd'],
      'layerstore -j 2 append scratch --mode s': ['source'],
      'layerstore inspect g': ['ghcr.io/o/tool:1'],
      'layerstore inspect app:1.': ['1.1', '1.2'],
      'layerstore ps r': ['rm'],
      'layerstore completion z': ['zsh'],
      'layerstore push app:1.1 gh': ['ghcr.io/o/tool:1'],
      'layerstore tag app:1.1 gh': [],
      'layerstore save app:1.1 gh': ['ghcr.io/o/tool:1'],
      'layerstore build d': ['dist'],
      'layerstore load --input so': ['some file.tar'],
      'layerstore inspect e': [],
      'layerstore --store /nowhere inspect a': [],
      'layerstore nonsense a': [],
    }
    expect(Object.fromEntries(inBash(...Object.keys(lines)).map((found, i) => [Object.keys(lines)[i], found]))).toEqual(
      lines,
    )
  })
})

describe('the script for zsh', () => {
  test.skipIf(!needsProgram('zsh'))('completes commands with descriptions, options, words and names', () => {
    const [commands, options, words, names, folders, other] = inZsh(
      'layerstore pu',
      'layerstore --json images --no',
      'layerstore append scratch --compression ',
      'layerstore inspect app',
      'layerstore build ',
      'layerstore tag app:1.1 ',
    )
    expect(commands).toContain('pull:pull an image into the store; prints its digest')
    expect(options).toContain('--no-trunc:print digests in full')
    expect(words).toEqual(['gzip', 'zstd', 'none'])
    expect(names).toEqual(['app:1.1', 'app:1.2', 'ghcr.io/o/tool:1'])
    expect(folders).toEqual(['files -/'])
    expect(other).toEqual([])
  })
})

describe('the script for fish', () => {
  test.skipIf(!needsProgram('fish'))('completes commands with descriptions, options, words and names', () => {
    const [commands, options, words, names, other] = inFish(
      'layerstore pu',
      'layerstore --json images --no',
      'layerstore append scratch --compression ',
      'layerstore inspect app',
      'layerstore tag app:1.1 ',
    )
    expect(commands).toContain('pull\tpull an image into the store; prints its digest')
    expect(options).toEqual(['--no-trunc\tprint digests in full'])
    expect(words!.map(line => line.split('\t')[0])).toEqual(['gzip', 'none', 'zstd'])
    expect(names).toEqual(['app:1.1', 'app:1.2'])
    expect(other).toEqual([])
  })
})

test('a shell that is not known is wrong usage, and names that a shell would run are not listed', async () => {
  expect(await cli(['completion', 'tcsh'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('bash, zsh or fish'),
  })
  const { stdout } = await cli(['__complete', 'image'], { store })
  expect(stdout).toBe('app:1.1\napp:1.2\nghcr.io/o/tool:1\n')
  expect(await cli(['__complete', 'image'], { store: join(place.path, 'none') })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
  expect(await cli(['__complete', 'container'], { store })).toEqual({ code: 0, stdout: '', stderr: '' })
})
