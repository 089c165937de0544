import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  composeImage,
  composeIndex,
  fromDirectory,
  fromFiles,
  openStore,
  type Store,
  writeLayer,
} from '../../lib/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { makeBusyboxRoot } from '../helpers/busybox-root.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { selfSignedCertificate } from '../helpers/self-signed-certificate.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { runTyped } from '../helpers/typed-line.ts'

/*
 * Types the commands of the README and the guides from top to bottom, in a folder and a store for each page; not those
 * that coming-from and printed-output type. A registry takes the place of localhost:5000, registry.example, ghcr.io and
 * Docker Hub.
 */

const root = resolve(import.meta.dirname, '../..')
const guides = readdirSync(join(root, 'lib/guides')).map(name => join('lib/guides', name))
/** Pages that coming-from and printed-output run. */
const isRunElsewhere = (page: string, text: string) => page.includes('coming-from') || text.includes('<!-- output')
const pages = ['README.md', ...guides].filter(page => {
  const text = readFileSync(join(root, page), 'utf8')
  return !isRunElsewhere(page, text) && linesOf(text).length > 0
})

/** Lines that no test can type, with the reason. */
const NOT_TYPED: readonly [line: RegExp, reason: string][] = [
  [/^npm i layerstore/, 'installs the package: test/journeys/readme-lines installs the packed one'],
  [/^npm ci && npm (run demo|test)$/, 'a checkout: test/journeys runs the demo, and this is the test'],
  [
    /^npm run bench -- --only [a-z-]+ --local$/,
    'minutes of measuring: test/bench runs every benchmark with tiny inputs',
  ],
  [/^sudo /, 'changes the machine'],
  [/^export AWS_|s3:\/\//, 'needs a bucket: test/object-store runs on Ceph, and test/cli parses the address'],
]
const CONTAINERS = /^layerstore (run|diff work|start|commit|containers|rm work)\b/
const canRun = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)

let place: ReturnType<typeof temporaryDirectory>
let remote: Store
let server: Awaited<ReturnType<typeof serveStore>>
const before = process.cwd()

beforeEach(async () => {
  place = temporaryDirectory('typed-commands')
  process.chdir(place.path)
  remote = createMemoryStore()
  server = await serveStore(remote)
  fillFolder()
  await putBase('library/node:22-slim')
  for (const name of ['o/app:1.0', 'team/app:1.0', 'app:1.0']) await putRelease(remote, name, 'one')
  await using store = await opened()
  for (const version of ['1.0', '1.1', '1.2']) await putRelease(store, `app:${version}`, version)
})
afterEach(async () => {
  process.chdir(before)
  await server[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

test('the pages with commands that this test types are all that have some', () => {
  expect(pages.map(page => page.replace(/^lib\/guides\/(.*)\.md$/, '$1'))).toEqual([
    'README.md',
    'assemble-from-node',
    'benchmark',
    'build-on-a-registry',
    'build-without-root',
    'collect-and-repair',
    'look-inside-an-image',
    'pull-with-a-plan',
    'run-what-was-built',
    'serve-a-registry',
    'share-a-store',
    'trust-what-you-run',
  ])
})

test.each(pages)('%s has commands that work as they are typed, from top to bottom', async page => {
  for (const line of linesOf(readFileSync(join(root, page), 'utf8'))) {
    if (NOT_TYPED.some(([pattern]) => pattern.test(line))) continue
    if (CONTAINERS.test(line) && !canRun) continue
    expect({ line, ...(await type(line)) }).toMatchObject({ line, code: 0 })
  }
})

/** Commands of the blocks of a page, and the whole ones in its text, without remarks. */
function linesOf(text: string): string[] {
  // The README's lines from an empty folder run with the packed package in test/journeys.
  const others = text.replace(/<!-- test\/journeys\/readme-lines[\s\S]*?\n```sh\n[\s\S]*?```/, '')
  const blocks = [...others.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.trim().split('\n'))
  const inText = [...others.matchAll(/`((?:echo \S+ \| |npx )layerstore [a-z][^`]*)`/g)].map(([, code = '']) => code)
  return [...blocks, ...inText].map(line => line.replace(/ +# .*$/, '').replace('npx ', ''))
}

async function type(line: string): Promise<{ code: number; stderr?: string }> {
  const [, text, file] = /^printf '(.*)' > (\S+)$/.exec(line) ?? []
  if (text !== undefined && file !== undefined) {
    writeFileSync(file, here(text.replaceAll('\\n', '\n')))
    return { code: 0 }
  }
  // The store of the test takes its place.
  if (line.startsWith('export LAYERSTORE_STORE=')) return { code: 0 }
  // Lines with a terminal are those of test/cli/terminal.
  const typed = here(line)
    .replaceAll('$COMMIT', 'c0ffee')
    .replace(/\$(TOKEN|PASSWORD)\b/, 'secret')
    .replace(' -it ', ' ')
  const free = /^layerstore serve\b/.test(typed) ? `${typed.replace(/ --listen \S+/, '')} --listen 127.0.0.1:0` : typed
  const env = {
    LAYERSTORE_CONFIG: join(place.path, 'registries.json'),
    DOCKER_CONFIG: join(place.path, 'docker'),
    PATH: process.env.PATH,
  }
  return runTyped(free, { store: join(place.path, 'images'), env })
}

/** An advisory about a package that no image of the pages has. */
const ADVISORY = {
  id: 'GHSA-1',
  affected: [{ package: { ecosystem: 'npm', name: 'absent' }, versions: ['1.0.0'] }],
}

const here = (text: string) => text.replaceAll(/localhost:5000|registry\.example|ghcr\.io(?= |\/)/g, server.host)
const opened = () => openStore(join(place.path, 'images'), { durability: 'none', hasher: 'native' })

/** A base for two processors, with the programs of this one. */
async function putBase(name: string): Promise<void> {
  const layers = [await writeLayer(remote, fromFiles({ 'usr/lib/node.so': 'node' }))]
  if (canRun) {
    makeBusyboxRoot(join(place.path, 'root'))
    writeFileSync('root/bin/npm', '#!/bin/sh\nmkdir -p /node_modules/left-pad\n', { mode: 0o755 })
    layers.push(await writeLayer(remote, fromDirectory('root')))
  }
  const images = []
  for (const architecture of ['amd64', 'arm64']) {
    const config = { Env: ['PATH=/bin'], Cmd: ['true'] }
    images.push(await composeImage(remote, { layers, platform: { os: 'linux', architecture }, config }))
  }
  await remote.references.set(name, (await composeIndex(remote, { images })).descriptor)
}

const putRelease = (store: Store, name: string, version: string) =>
  sampleImage(store, [{ 'usr/lib/a.so': 'a'.repeat(999) }, { 'app/server.js': version }], { name })

function fillFolder(): void {
  const { cert, key } = selfSignedCertificate()
  const files = {
    'registries.json': JSON.stringify({ registries: { 'docker.io': { mirrors: [server.host] } } }),
    Dockerfile: 'FROM node:22-slim\nCOPY dist /app\n',
    'dist/server.js': 'serve()',
    'node_modules/left/index.js': 'left()',
    users: 'ci:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC\n',
    'osv/GHSA-1.json': JSON.stringify(ADVISORY),
    'cert.pem': cert,
    'key.pem': key,
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, content)
  }
}
