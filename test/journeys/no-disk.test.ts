import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readImage } from '../../lib/image/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const root = resolve(import.meta.dirname, '../..')
const dist = join(root, 'dist')
const run = promisify(execFile)
let place: ReturnType<typeof temporaryDirectory>

beforeAll(() => {
  place = temporaryDirectory('no-disk')
  mkdirSync(join(place.path, 'node_modules'))
  symlinkSync(root, join(place.path, 'node_modules/layerstore'))
  for (const file of ['no-disk-child.mjs', 'no-node-fs.mjs']) {
    writeFileSync(join(place.path, file), readFileSync(join(root, 'test/helpers', file)))
  }
  chmodSync(place.path, 0o555)
})
afterAll(() => {
  chmodSync(place.path, 0o755)
  place[Symbol.dispose]()
})

/** The files of the package that an import of one of them loads at once. */
function loadedWith(entry: string): Set<string> {
  const loaded = new Set([join(dist, entry)])
  for (const file of loaded) {
    for (const [, spec] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^;'"(]*?['"](\.[^'"]+)['"]/gm)) {
      loaded.add(join(dirname(file), spec!))
    }
  }
  return loaded
}

test.each(['index.js', 'oci/index.js', 'store/index.js', 'registry/index.js', 'image/index.js', 'transfer/index.js'])(
  'an import of %s loads nothing that imports node:fs',
  entry => {
    const loaded = [...loadedWith(entry)]
    expect(loaded.length).toBeGreaterThan(1)
    expect(loaded.filter(file => /^import\b.*['"]node:fs/m.test(readFileSync(file, 'utf8')))).toEqual([])
  },
)

test('a file is put on a base in a registry and pushed where nothing can be written, and node:fs is never loaded', async () => {
  const remote = createMemoryStore()
  const base = await sampleImage(remote, [{ 'base.txt': 'base' }], { name: 'base:1' })
  await using server = await serveStore(remote)
  // Node forbids every write, every other process and every thread, which has the same effect as a disk that is full.
  // NODE: the flag was experimental before Node 22.13.
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
  const permission = [flag, '--allow-fs-read=*', '--no-warnings']
  const program = [join(place.path, 'no-disk-child.mjs'), `${server.host}/base:1`, `${server.host}/app:1`]
  const plain = await run(process.execPath, ['--import', './no-node-fs.mjs', ...program], { cwd: place.path })
  const image = await readImage(remote, 'app:1')
  expect(plain.stdout).toBe(image.descriptor.digest)
  expect(image.layers[0]).toEqual(base.layers[0])
  const forbidden = await run(process.execPath, [...permission, ...program], { cwd: place.path })
  expect(forbidden.stdout).toBe(plain.stdout)
  expect(readdirSync(place.path).sort()).toEqual(['no-disk-child.mjs', 'no-node-fs.mjs', 'node_modules'])
})
