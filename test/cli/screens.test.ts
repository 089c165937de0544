import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createProgram } from '../../lib/cli/program.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { fromFiles, writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { storeBusyboxImage } from '../helpers/busybox-image.ts'
import { MEASURING, RUNNING, TYPED } from '../helpers/cli-screens.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { cli } from '../helpers/run-cli.ts'
import { screenOf } from '../helpers/screen-of.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/*
 * The screen of every command, in a pipe and on a terminal, for good and bad input, is kept in screens/COMMAND.txt,
 * with the shape of its JSON. UPDATE_SCREENS=1 writes the files anew; read the difference as a user would.
 */

const folder = join(import.meta.dirname, 'screens')
const isRoot = needsRoot()
const canRun = [isRoot, needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)
const template = temporaryDirectory('screens')
/** A key whose signatures are always the same: Ed25519 with the bytes 0 to 31 as its seed. */
const TEAM_KEY = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
`
const TEAM_PUB = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
-----END PUBLIC KEY-----
`
const epoch = process.env.SOURCE_DATE_EPOCH

beforeAll(async () => {
  delete process.env.SOURCE_DATE_EPOCH
  const at = (name: string) => join(template.path, name)
  {
    await using store = await openStore(at('store'))
    await storeImages(store)
  }
  if (canRun) {
    await using store = await openStore(at('boxes'))
    await storeBusyboxImage(store, 'box:1', { config: { Env: ['PATH=/bin'], Cmd: ['ls', '/bin/sh'] } })
  }
  mkdirSync(at('dist'))
  writeFileSync(at('dist/index.html'), '<p>hello</p>\n')
  writeFileSync(at('Dockerfile'), 'FROM scratch\nCOPY dist /srv\nLABEL team=a\n')
  writeFileSync(at('Dockerfile.bad'), 'FROM scratch\nMAINTAINER me\nCOPY gone\n')
  writeFileSync(at('Dockerfile.var'), 'ARG V=1\nFROM node:$V\n')
  const lock = { version: 1, bases: [], compressor: 'none', inputs: { args: {} }, images: [] }
  writeFileSync(at('image.lock'), JSON.stringify(lock))
  const advisory = { id: 'X-1', affected: [{ package: { ecosystem: 'npm', name: 'x' } }] }
  mkdirSync(at('osv'))
  writeFileSync(at('osv/X-1.json'), JSON.stringify(advisory))
  writeFileSync(at('team.key'), TEAM_KEY)
  writeFileSync(at('team.pub'), TEAM_PUB)
  const identity = ['--sign-container-identity', 'docker.io/library/app']
  const made = [
    await cli(['copy', 'store:app:1.1', `oci:${at('signed')}:1`], { store: at('store') }),
    await cli(['sign', 'store:1', '--key', at('team.key'), ...identity], { store: at('signed') }),
    await cli(['save', 'app:1.1', '-o', at('app.tar')], { store: at('store') }),
    await cli(['export', 'app:1.1', '-o', at('rootfs.tar')], { store: at('store') }),
    ...(canRun ? [await cli(['run', '--keep', 'work', 'box:1', 'ls', '/bin/sh'], { store: at('boxes') })] : []),
  ]
  expect(made.filter(({ code }) => code !== 0)).toEqual([])
})
afterAll(() => {
  if (epoch !== undefined) process.env.SOURCE_DATE_EPOCH = epoch
  template[Symbol.dispose]()
})

/** Two releases. Uncompressed layers have the same digests on every version of Node. */
async function storeImages(store: Store): Promise<void> {
  const layer = async (files: Record<string, string>) => writeLayer(store, fromFiles(files), { compression: 'none' })
  const config = { Env: ['PATH=/bin', 'A=1'], Cmd: ['/bin/app'], Labels: { team: 'a' } }
  const platform = { os: 'linux', architecture: 'amd64' }
  const base = await layer({ 'etc/app.conf': 'port=80\n', 'bin/app': 'x'.repeat(5000) })
  const top = await layer({ 'etc/app.conf': 'port=8080\n', 'bin/new': 'y'.repeat(3000) })
  const first = await composeImage(store, {
    layers: [{ ...base, history: { created_by: 'COPY base /' } }],
    config,
    platform,
  })
  const second = await composeImage(store, { layers: [base, top], config: { ...config, User: 'me' }, platform })
  await store.references.set('app:1.1', first.descriptor)
  await store.references.set('app:1.2', second.descriptor)
}

/** An image that no store here has. */
async function storeFarImage(store: Store): Promise<void> {
  const layer = await writeLayer(store, fromFiles({ 'bin/far': 'z'.repeat(4000) }), { compression: 'none' })
  const image = await composeImage(store, { layers: [layer], platform: { os: 'linux', architecture: 'amd64' } })
  await store.references.set('far:1', image.descriptor)
}

const visible = (() => {
  const program = createProgram(async () => {}, '1')
  return program
    .createHelp()
    .visibleCommands(program)
    .map(command => command.name())
    .filter(name => name !== 'help')
})()

test('every command of the program has screens, and no file is left of one that it has not', () => {
  expect(Object.keys(TYPED).sort()).toEqual([...visible].sort())
  if (!process.env.UPDATE_SCREENS) expect(readdirSync(folder).sort()).toEqual(visible.map(name => `${name}.txt`).sort())
})

test.for(visible)(
  'the screens of %s, in a pipe, on a terminal and as JSON, are those that are kept',
  async (command, { skip }) => {
    if (RUNNING.includes(command) && !canRun) skip()
    // Another user is told that the owners of files were not applied.
    if (command === 'unpack' && !isRoot) skip()
    const typed = TYPED[command]!
    const piped = await inNewPlace(command, place => typeAll(place, typed))
    const shown = await inNewPlace(command, place => typeAll(place, typed, { tty: true }))
    const [json] = await inNewPlace(command, place => typeAll(place, typed.slice(0, 1), { json: true }))
    expect(new Set(piped.map(({ code }) => code === 0))).toEqual(new Set([true, false]))
    expect(shown.map(({ code }) => code)).toEqual(piped.map(({ code }) => code))
    const sections = piped.map(({ line, text, code }, i) => {
      const terminal = shown[i]!.text === text ? '' : `-- on a terminal:\n${shown[i]!.text}`
      return `\n$ ${line}\n${text}[exit code ${code}]\n${terminal}`.trimEnd()
    })
    const inJson = `\n$ ${json!.line}\n${shapeOfJson(json!.text)}\n`
    const text = withFewIds([`# layerstore ${command}`, ...sections, inJson].join('\n'))
    const file = join(folder, `${command}.txt`)
    if (process.env.UPDATE_SCREENS) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(file, text)
    }
    expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '')
  },
)

/** Directory and registry of one sequence of commands. */
interface Place {
  readonly path: string
  readonly host: string
  readonly command: string
}

interface Screen {
  readonly line: string
  readonly text: string
  readonly code: number
}

async function inNewPlace(command: string, act: (place: Place) => Promise<Screen[]>): Promise<Screen[]> {
  // Always the same path: it gets into the history of images.
  const path = join(template.path, 'place')
  const isNeeded = (from: string) => from !== join(template.path, RUNNING.includes(command) ? 'store' : 'boxes')
  try {
    for (const name of readdirSync(template.path)) {
      const from = join(template.path, name)
      if (from === path || !isNeeded(from)) continue
      cpSync(from, join(path, name === 'boxes' ? 'store' : name), { recursive: true, verbatimSymlinks: true })
    }
    const remote = createMemoryStore()
    await storeFarImage(remote)
    await using server = await serveStore(remote)
    return await act({ path, host: server.host, command })
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

async function typeAll(
  place: Place,
  lines: readonly string[],
  { tty = false, json = false }: { readonly tty?: boolean; readonly json?: boolean } = {},
): Promise<Screen[]> {
  const screens: Screen[] = []
  for (const line of lines) {
    const [name, ...rest] = line.split(' ')
    const words = [name!, ...(json ? ['--json'] : []), ...rest]
    const args = words.map(word =>
      word.replace(/^@/, place.path).replace(':@', `:${place.path}`).replace(/^REG/, place.host),
    )
    const stop = new AbortController()
    // A server runs until it is stopped.
    const onStdout = words[0] === 'serve' ? () => stop.abort(new Error('SIGINT')) : () => {}
    const env = { DOCKER_CONFIG: place.path, PATH: process.env.PATH, TERM: 'xterm' }
    const stdin = Readable.from([Buffer.from('secret\n')])
    const run = await cli(args, { store: join(place.path, 'store'), tty, signal: stop.signal, onStdout, stdin, env })
    const text = `${stable(place, short(run.stdout))}${stable(place, short(screenOf(run.stderr))).replace(/^(?=.)/gm, '2> ')}`
    screens.push({ line: named(place, `layerstore ${args.join(' ')}`), text, code: run.code })
  }
  return screens
}

/** A long text by its first lines. */
function short(text: string): string {
  const lines = text.split('\n')
  return lines.length > 60
    ? [...lines.slice(0, 5), '…', ''].join('\n')
    : text === '' || text.endsWith('\n')
      ? text
      : `${text}\n`
}

/** Names the directory and the registry as they are called in each run. */
function named({ path, host }: Place, text: string): string {
  return text.replaceAll(path, '/home/me').replaceAll(host, '127.0.0.1:50000')
}

/** Replaces what differs from run to run. */
function stable(place: Place, text: string): string {
  const fixed = named(place, text)
    // A transfer of over a second says how fast it was, and on a busy machine any may take so long.
    .replace(/(there) in [\dhms ]+?, [\d.]+ ?[kMG]?B\/s$/gm, '$1')
    .replace(/\b\d+\.\d+( ?)s\b/g, '0.0$1s')
    .replace(/\b20\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d+)?/g, '2026-11-30$100:00:00')
    .replace(/127\.0\.0\.1:(?!50000)\d{4,5}\b/g, '127.0.0.1:40000')
  if (!MEASURING.includes(place.command)) return fixed
  return fixed
    .replace(/^.*, Node v.*$/gm, '(the machine)')
    .replace(/"machine":\{[^}]*\}/g, '"machine":{}')
    .replace(/^caution: .*\n/gm, '')
    .replace(/\d+(\.\d+)?( ?[kMG]?B\b| %)?/g, '#')
    .replace(/ {2,}/g, '  ')
}

/** Replaces digests by their order. */
function withFewIds(text: string): string {
  const ids = new Map<string, string>()
  return text.replace(/\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b/g, hex => {
    const start = hex.slice(0, 12)
    if (!ids.has(start))
      ids.set(
        start,
        String(ids.size + 1)
          .padStart(2, '0')
          .repeat(6),
      )
    return ids.get(start)!.padEnd(hex.length, '.')
  })
}

/** The shape of a JSON document: its members and the types of their values. */
function shapeOfJson(text: string): string {
  const [line = ''] = text.split('\n')
  try {
    return JSON.stringify(shapeOf(JSON.parse(line)), null, 1)
  } catch {
    return text.trimEnd()
  }
}

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? [shapeOf(value[0])] : []
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shapeOf(one)]))
}
