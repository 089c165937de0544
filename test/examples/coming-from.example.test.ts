import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { composeImage, composeIndex, fromFiles, openStore, type Store, writeLayer } from '../../lib/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { storeBusyboxImage } from '../helpers/busybox-image.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { runTyped, type TypedRun } from '../helpers/typed-line.ts'

/*
 * Runs every command of this program on the pages "coming from …", from top to bottom, in one store and one folder for
 * each page, with a registry in place of localhost:5000 that is also the mirror of Docker Hub.
 */

const guides = resolve(import.meta.dirname, '../../lib/guides')
const pages = readdirSync(guides).filter(name => name.startsWith('coming-from-'))
const canRun = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)

let place: ReturnType<typeof temporaryDirectory>
let remote: Store
let server: Awaited<ReturnType<typeof serveStore>>
const before = process.cwd()

beforeEach(async () => {
  place = temporaryDirectory('coming-from')
  process.chdir(place.path)
  remote = createMemoryStore()
  await fillRegistry()
  server = await serveStore(remote)
  await fillFolder()
})
afterEach(async () => {
  process.chdir(before)
  await server[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

test('there is a page for each of the five programs', () => {
  const programs = ['containerify', 'crane', 'dive', 'docker', 'skopeo']
  expect(pages).toEqual(programs.map(name => `coming-from-${name}.md`))
})

describe.each(pages)('%s', page => {
  test('has commands that work as they are typed, from top to bottom', async () => {
    if (page.includes('dive')) await storeReleases()
    const lines = commandsOf(readFileSync(join(guides, page), 'utf8'))
    expect(lines.length).toBeGreaterThan(10)
    for (const line of lines) {
      if (/layerstore (run|ps|diff work|commit|start|rm work)\b/.test(line) && !canRun) continue
      const { code, stderr } = await type(line)
      expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({ line, code: 0, stderr: '' })
    }
  })
})

test('the pages tell the truth about exit codes, digests and layers that are there', async () => {
  await storeReleases()
  expect((await type('layerstore analyze app:1.0 --highestWastedBytes 1B')).code).toBe(1)
  const { stdout } = await type('layerstore copy localhost:5000/app:1.0 store:copy:1.0')
  expect(stdout.trim()).toBe((await remote.references.get('app:1.0'))!.digest)
  await type('layerstore copy localhost:5000/app:1.0 localhost:5000/team/app:1.0')
  const uploads = server.requests.filter(request => /^(PATCH|PUT) .*\/blobs\//.test(request))
  expect(uploads).toEqual([])
})

/** The commands of a page: those in the second column of its tables, and in its blocks. */
function commandsOf(text: string): string[] {
  return text.split('\n').flatMap(line => {
    const [, , cell = ''] = line.replaceAll('\\|', '\0').split('|')
    const isRow = line.startsWith('|')
    const codes = isRow ? [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!.replaceAll('\0', '|')) : [line]
    return codes.filter(code => /^([A-Z_]+=\S+ )?((echo|cat) \S+ \| )?layerstore [a-z]/.test(code))
  })
}

async function type(line: string): Promise<TypedRun> {
  const typed = line
    .replaceAll('localhost:5000', server.host)
    .replace('--listen 127.0.0.1:5000', '--listen 127.0.0.1:0')
  const env = {
    LAYERSTORE_CONFIG: join(place.path, 'registries.json'),
    DOCKER_CONFIG: join(place.path, 'docker'),
    PATH: process.env.PATH,
  }
  return runTyped(typed, { store: join(place.path, 'images'), env })
}

const opened = () => openStore(join(place.path, 'images'), { durability: 'none', hasher: 'native' })

async function fillRegistry(): Promise<void> {
  await put('app:1.0', [{ 'etc/os': 'one' }, { 'app/server.js': 'one'.repeat(99) }, { 'etc/os': 'one' }], {
    Env: ['MODE=one'],
  })
  await put('app:1.1', [{ 'etc/os': 'two' }, { 'app/server.js': 'two' }], { Env: ['MODE=two'] })
  await put('nginx:1', [{ 'etc/nginx': 'nginx' }], {})
  for (const name of ['library/nginx:latest', 'tool:1.0', 'node:22-slim']) await putIndex(name)
}

const put = (name: string, layers: Record<string, string>[], config: object, architecture = 'amd64') =>
  sampleImage(remote, layers, { name, config, architecture })

/** Puts an image for two processors, the lower layer of which is the same. */
async function putIndex(name: string): Promise<void> {
  const images = []
  for (const architecture of ['amd64', 'arm64']) {
    const layers = [
      await writeLayer(remote, fromFiles({ all: name })),
      await writeLayer(remote, fromFiles({ architecture })),
    ]
    const platform = { os: 'linux', architecture }
    images.push(await composeImage(remote, { layers, platform, config: { Env: ['NODE_VERSION=22'] } }))
  }
  await remote.references.set(name, (await composeIndex(remote, { images })).descriptor)
}

/** Two releases in the store, and the archive of one in the folder. */
async function storeReleases(): Promise<void> {
  for (const name of ['app:1.0', 'app:1.1']) {
    expect(await type(`layerstore copy localhost:5000/${name} store:${name}`)).toMatchObject({ code: 0 })
  }
  expect(await type('layerstore save app:1.0 -o app.tar')).toMatchObject({ code: 0 })
}

/** An application with a Dockerfile, an archive, and rules of dive; a store that holds what the pages name. */
async function fillFolder(): Promise<void> {
  const files = {
    'registries.json': JSON.stringify({ registries: { 'docker.io': { mirrors: [server.host] } } }),
    Dockerfile: 'FROM scratch AS app\nARG MODE=dev\nENV MODE=$MODE\nCOPY dist /app\n',
    '.dockerignore': 'docker\nimages\n',
    '.dive-ci': 'rules:\n  lowestEfficiency: 0.5\n  highestUserWastedPercent: 0.9\n',
    'rules.yaml': 'rules:\n  lowestEfficiency: 0.5\n  highestUserWastedPercent: 0.9\n',
    'dist/server.js': 'serve()',
    'node_modules/left/index.js': 'left()',
    'public/index.html': '<h1>site</h1>',
    'package.json': '{}',
    'app.json': '{}',
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, content)
  }
  await using store = await opened()
  if (canRun) await storeBusyboxImage(store, 'box:1', { config: { Env: ['PATH=/bin'], Cmd: ['true'] } })
}
