import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatDocument } from '../../lib/cli/printing/format-document.ts'
import { createProgram } from '../../lib/cli/program.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import type { Image } from '../../lib/image/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const place = temporaryDirectory('habits')
const store = join(place.path, 'store')
let image: Image

beforeAll(async () => {
  await using opened = await openStore(store)
  const config = { Env: ['A=1', 'B=2'], Cmd: ['node', 'x.js'], Labels: { team: 'a', area: 'b' } }
  image = await sampleImage(opened, [{ a: '1' }, { b: '2' }], { name: 'app:1', config })
})
afterAll(() => place[Symbol.dispose]())

const typed = (...args: string[]) => cli(args, { store })
const formatted = async (format: string) => (await typed('inspect', 'app:1', '--format', format)).stdout

describe('inspect --format', () => {
  test.each([
    ['{{.Os}}/{{.Architecture}}', () => 'linux/amd64'],
    ['{{.Id}}', () => image.descriptor.digest],
    ['{{.RepoTags}}', () => '[app:1]'],
    ['{{index .RepoDigests 0}}', () => `app@${image.descriptor.digest}`],
    ['{{.Config.Env}}', () => '[A=1 B=2]'],
    ['{{json .Config.Cmd}}', () => '["node","x.js"]'],
    ['{{join .Config.Cmd " "}}', () => 'node x.js'],
    ['{{.Config.Labels}}', () => 'map[area:b team:a]'],
    ['{{index .Config.Labels "team"}}', () => 'a'],
    ['{{len .RootFS.Layers}}', () => '2'],
    ['{{range .Config.Env}}{{println .}}{{end}}', () => 'A=1\nB=2\n'],
    ['{{ range .RootFS.Layers }}<{{ . }}>{{ end }}', () => image.layers.map(({ diffId }) => `<${diffId}>`).join('')],
    ['{{.Config.User}}', () => '<no value>'],
    ['a\\tb', () => 'a\tb'],
  ])('prints %s as docker does', async (format, text) => {
    expect(await formatted(format)).toBe(`${text()}\n`)
  })

  test('json prints the members of docker, and --json ours', async () => {
    const [found] = JSON.parse(await formatted('json'))
    expect(found).toMatchObject({ Id: image.descriptor.digest, Size: expect.any(Number), RootFS: { Type: 'layers' } })
    expect(JSON.parse((await typed('inspect', 'app:1', '--json')).stdout)).toMatchObject({ kind: 'image' })
  })

  test.each([
    ['{{.Nothing}}', 'the members are Id, RepoTags'],
    ['{{if .Os}}x{{end}}', 'got {{if .Os}}'],
    ['{{range .Config.Env}}x', '{{range}} without {{end}}'],
    ['x{{end}}', '{{end}} without {{range}}'],
    ['{{.Id}} {{.Config.Env', '{{ without }}'],
    ['{{join .Config.Cmd "\\x"}}', 'is not a text with the escapes of JSON'],
    ['{{index .Config}}', 'got {{index .Config}}'],
  ])('refuses %s', async (format, text) => {
    const { code, stderr } = await typed('inspect', 'app:1', '-f', format)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(text) })
  })

  test('is for images, and escapes what an image holds', async () => {
    const layer = image.layers[0]!.descriptor.digest
    expect((await typed('inspect', layer, '-f', '{{.Id}}')).stderr).toContain('--format is for images')
    expect(formatDocument('{{.A}}{{range .A}}{{.}}{{end}}', { A: ['\u001b[2J'] })).toBe('[\\u001b[2J]\\u001b[2J')
    expect(formatDocument('{{.A.__proto__}} {{.A.constructor}}', { A: {} })).toBe('<no value> <no value>')
  })
})

describe('a list', () => {
  test('is JSON with --output json, before and after the command, and refuses another format', async () => {
    const json = (await typed('images', '--json')).stdout
    expect((await typed('images', '--output', 'json')).stdout).toBe(json)
    expect((await typed('--output=json', 'images')).stdout).toBe(json)
    expect((await typed('images', '--output', 'table')).stdout).toBe((await typed('images')).stdout)
    expect(await typed('images', '--output', 'yaml')).toMatchObject({ code: 2 })
    expect(JSON.parse((await typed('inspect', 'none:1', '--output', 'json')).stdout)).toMatchObject({
      error: { code: 'ERR_REFERENCE_NOT_FOUND' },
    })
  })

  test('of a store that does not exist yet is empty, and says so; nothing is created', async () => {
    const none = join(place.path, 'none')
    const { code, stdout, stderr } = await cli(['images', '-a'], { store: none })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'NAME   DIGEST   PLATFORM   SIZE\n' })
    expect(stderr).toBe(`there is no store in ${none} yet: "layerstore pull" or "build" creates it\n`)
    expect(await cli(['images', '-q'], { store: none })).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await cli(['ps', '-aq'], { store: none })).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(existsSync(none)).toBe(false)
  })

  test('of images takes before, since and until', async () => {
    const at = join(place.path, 'times')
    await using opened = await openStore(at)
    for (const [name, year] of [
      ['old:1', '2001'],
      ['mid:1', '2011'],
      ['new:latest', '2021'],
    ] as const) {
      await sampleImage(opened, [{ name }], { name })
      const edited = await cli(['edit', name, '--created', `${year}-01-01`, '-t', name], { store: at })
      expect(edited.code).toBe(0)
    }
    const names = async (filter: string) => {
      const { stdout } = await cli(['images', '--filter', filter, '--format', '{{.Name}}'], { store: at })
      return stdout.trim().split('\n')
    }
    expect(await names('before=mid:1')).toEqual(['old:1'])
    expect(await names('since=mid:1')).toEqual(['new:latest'])
    expect(await names('before=new')).toEqual(['mid:1', 'old:1'])
    expect(await names('until=2012-06-01')).toEqual(['mid:1', 'old:1'])
    expect(await names('until=24h')).toHaveLength(3)
    expect((await cli(['images', '--filter', 'since=no:1'], { store: at })).stderr).toContain('no image named no:1')
    expect(await cli(['images', '--filter', 'until=soon'], { store: at })).toMatchObject({ code: 2 })
  })
})

describe('a hint', () => {
  test.each([
    [['run', '-d', '-p', '80:80', 'app:1'], 'there is no daemon'],
    [['run', '--restart', 'always', 'app:1'], 'a service manager starts it again'],
    [['run', '--privileged', 'app:1'], 'no option raises them'],
    [['run', '--cpus', '2', 'app:1'], 'use --memory and --pids-limit'],
    [['build', '--squash', '.'], 'layerstore edit NAME --flatten'],
    [['ps', '--filter', 'status=exited'], 'use --format and grep'],
    [['push', '--all-tags', 'app'], 'layerstore tags REPOSITORY'],
    [['load', 'app.tar'], 'name the archive with -i FILE'],
    [['attest', 'app:1'], 'layerstore sbom REF --attest'],
    [['scan', 'app:1'], 'layerstore check NAME --db DIR'],
    [['pull', '--disable-content-trust', 'app:1'], 'only --policy verifies signatures'],
  ])('answers %j, in place of a suggestion by spelling', async (args, text) => {
    const { code, stderr } = await typed(...args)
    expect({ code, stderr }).toEqual({ code: args[0] === 'run' ? 125 : 2, stderr: expect.stringContaining(text) })
    expect(stderr).not.toContain('Did you mean')
  })

  test('about running containers is not given for an id that does not exist', async () => {
    const { code, stderr } = await typed('containers', 'rm', 'nothing')
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('lists the ids') })
    expect(stderr).not.toContain('stop')
  })

  test('says that a place of --repair was not asked if nothing is wrong', async () => {
    expect((await typed('fsck', '--repair', 'ghcr.io/o/app')).stderr).toContain('ghcr.io/o/app was not asked')
  })
})

describe('a short reference', () => {
  test('is completed as docker does, and that is said once', async () => {
    const proxy = ['--proxy', 'http://127.0.0.1:1']
    const { stderr } = await typed('diff', 'docker://nginx', 'docker://nginx', ...proxy)
    expect(stderr.match(/nginx is docker\.io\/library\/nginx:latest/g)).toHaveLength(1)
    expect((await typed('inspect', 'ghcr.io/o/app:1', ...proxy)).stderr).not.toContain(' is ghcr.io')
    expect((await typed('inspect', 'docker://nginx', '-q', ...proxy)).stderr).not.toContain(' is docker.io')
  })
})

test('the help of every command names exit codes', async () => {
  const program = createProgram(async () => {}, '1')
  const commands = program
    .createHelp()
    .visibleCommands(program)
    .filter(one => one.name() !== 'help')
  for (const command of commands) {
    const { stdout } = await cli([command.name(), '--help'])
    expect(stdout, command.name()).toMatch(/\n(Exit code: |The exit code is )/)
  }
})
