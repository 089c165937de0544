import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, linkSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { needsRoot } from '../helpers/needs-root.ts'
import { nodeForAnyone } from '../helpers/node-for-anyone.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

const place = temporaryDirectory('processes')
const tree = join(place.path, 'tree')
let library: string
/** Result of {@link digestsOf} for the tree in an ordinary process. */
let digests: string

beforeAll(() => {
  chmodSync(place.path, 0o755)
  library = transpileLibrary()
  makeTree(tree, names)
  digests = digestsOf(tree)
})
afterAll(() => place[Symbol.dispose]())

const names = Array.from({ length: 500 }, (_, i) => `${['a', 'B', 'ü', 'z-', '.h', 'I'][i % 6]}${i}`)

function makeTree(root: string, order: readonly string[]): void {
  mkdirSync(root, { mode: 0o755 })
  for (const [i, name] of order.entries()) {
    const at = join(root, name.slice(0, 2))
    mkdirSync(at, { recursive: true })
    writeFileSync(join(at, name), name.repeat(20), { mode: name.startsWith('B') ? 0o755 : 0o644 })
    utimesSync(join(at, name), i, i)
  }
  linkSync(join(root, 'a0', 'a0'), join(root, 'linked'))
  symlinkSync('linked', join(root, 'soft'))
}

/**
 * The digests of a layer of a directory, and of an image with it, made in a process of its own, for each way to read.
 */
function digestsOf(
  root: string,
  options: { env?: NodeJS.ProcessEnv; umask?: string; user?: number; from?: string; hows?: object[] } = {},
): string {
  const script = `
    import { composeImage, createMemoryStore, fromDirectory, writeLayer } from ${JSON.stringify(pathToFileURL(join(options.from ?? library, 'index.js')).href)}
    process.umask(0o${options.umask ?? '022'})
    for (const how of ${JSON.stringify(options.hows ?? [{}])}) {
      const store = createMemoryStore()
      const layer = await writeLayer(store, fromDirectory(${JSON.stringify(root)}, { at: '/srv/app', ...how }))
      const image = await composeImage(store, { layers: [layer], platform: { os: 'linux', architecture: 'amd64' } })
      console.log(layer.diffId, layer.descriptor.digest, image.descriptor.digest)
    }`
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env
  using node = options.user === undefined ? undefined : nodeForAnyone()
  return execFileSync(node?.path ?? process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: place.path,
    env: { ...env, ...options.env },
    ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
  })
}

test('time zone, locale, umask and the number of threads change no digest', () => {
  expect(digests).toMatch(/^sha256:\S+ sha256:\S+ sha256:\S+\n$/)
  expect(
    digestsOf(tree, { env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' }, umask: '077' }),
  ).toBe(digests)
  expect(
    digestsOf(tree, {
      env: { TZ: 'America/St_Johns', LC_ALL: 'C', UV_THREADPOOL_SIZE: '1' },
      hows: [{ reader: 'inline' }],
    }),
  ).toBe(digests)
})

test('the order in which files were made, their times, and the umask they were made with change no digest', () => {
  const other = join(place.path, 'other')
  const before = process.umask(0o077)
  try {
    makeTree(other, [...names.slice(1).reverse(), names[0]!])
  } finally {
    process.umask(before)
  }
  expect(readdirSync(other).length).toBe(readdirSync(tree).length)
  expect(digestsOf(other)).toBe(digests)
})

test.skipIf(!needsRoot())('another user, and files of another user, change no digest', () => {
  const other = join(place.path, 'owned')
  makeTree(other, names)
  for (const name of readdirSync(other)) chownSync(join(other, name), 1234, 5678)
  expect(digestsOf(other)).toBe(digests)
  expect(digestsOf(other, { user: 65534 })).toBe(digests)
})

test('SOURCE_DATE_EPOCH is the time, or the latest time', () => {
  const env = { SOURCE_DATE_EPOCH: '100' }
  const hows = [{}, { mtime: 100 }, { mtime: 'clamp' }, { mtime: { notAfter: 100 } }]
  const lines = digestsOf(tree, { env, hows }).trimEnd().split('\n')
  const [epoch, fixed, clamped, latest] = lines.map(line => line.split(' ').slice(0, 2))
  expect(epoch).toEqual(fixed)
  expect(clamped).toEqual(latest)
  expect(clamped).not.toEqual(epoch)
})

test('a loop that is left early or never continued keeps no process alive', () => {
  const script = `import { fromDirectory } from ${JSON.stringify(pathToFileURL(join(library, 'index.js')).href)}
    for await (const { path } of fromDirectory(${JSON.stringify(tree)})) if (path.endsWith('450')) break
    const entries = fromDirectory(${JSON.stringify(tree)})
    for (let i = 0; i < 300; i++) await entries.next()
    console.log('left')`
  const args = ['--input-type=module', '-e', script]
  expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 240_000 })).toBe('left\n')
})
