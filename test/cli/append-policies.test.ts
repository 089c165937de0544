import { linkSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { readTar, type TarEntry } from '../../lib/tar/index.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { cli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let store: string
let app: string
beforeEach(() => {
  place = temporaryDirectory('append')
  store = join(place.path, 'store')
  app = join(place.path, 'app')
  mkdirSync(join(app, 'd'), { recursive: true })
  for (const [name, time] of Object.entries({ 'a.js': 100, 'b.log': 5000, 'd/c.log': 100 })) {
    writeFileSync(join(app, name), name, { mode: 0o640 })
    utimesSync(join(app, name), time, time)
  }
  linkSync(join(app, 'a.js'), join(app, 'd/linked'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  place[Symbol.dispose]()
})

const append = (...args: string[]) =>
  cli(['append', 'scratch', '--dir', `${app}:/srv`, '-t', 'app:1', ...args], { store })

/** The entries of the layer that `append` makes with the options given. */
async function layerOf(...args: string[]): Promise<(TarEntry & { text: string })[]> {
  const { code, stdout, stderr } = await append(...args, '--json')
  expect([code, stderr]).toEqual([0, expect.any(String)])
  const { layers } = JSON.parse(stdout)
  const blob = readFileSync(join(store, 'blobs', ...layers[0].descriptor.digest.split(':')))
  return readEntries(readTar(layers[0].descriptor.mediaType.endsWith('gzip') ? gunzipSync(blob) : blob)) as never
}
const columns = async (key: keyof TarEntry, ...args: string[]) =>
  Object.fromEntries((await layerOf(...args)).map(entry => [entry.path, entry[key]]))

describe('append makes layers', () => {
  test('that are the same everywhere, unless told otherwise', async () => {
    vi.stubEnv('SOURCE_DATE_EPOCH', '77')
    expect(await layerOf()).toMatchObject([
      { path: 'srv', mode: 0o755, uid: 0, gid: 0, mtime: 77 },
      { path: 'srv/a.js', mode: 0o644, uid: 0, gid: 0, mtime: 77, text: 'a.js' },
      { path: 'srv/b.log' },
      { path: 'srv/d', mode: 0o755 },
      { path: 'srv/d/c.log' },
      { path: 'srv/d/linked', type: 'hardlink', linkname: 'srv/a.js' },
    ])
  })

  test.each<[string[], number, number]>([
    [['--mtime', '1234'], 1234, 1234],
    [['--mtime', '2001-09-09T01:46:40Z'], 1e9, 1e9],
    [['--mtime', '2001-09-09 01:46:40'], 1e9, 1e9],
    [['--mtime', '2001-09-09'], 999993600, 999993600],
    [['--mtime', 'source'], 100, 5000],
    [['--mtime', 'clamp'], 77, 77],
    [['--mtime', 'clamp:1000'], 100, 1000],
  ])('with the times that %j says', async (args, a, b) => {
    vi.stubEnv('SOURCE_DATE_EPOCH', '77')
    vi.stubEnv('TZ', 'America/St_Johns')
    expect(await columns('mtime', ...args)).toMatchObject({ 'srv/a.js': a, 'srv/b.log': b })
  })

  test('with owners and modes fixed, kept, or mapped', async () => {
    const [uid, gid] = [process.getuid!(), process.getgid!()]
    const first = async (...args: string[]) => (await layerOf(...args)).find(({ path }) => path === 'srv/a.js')
    expect(await first('--owner', '7:8')).toMatchObject({ uid: 7, gid: 8 })
    expect(await first('--owner', '7')).toMatchObject({ uid: 7, gid: 7 })
    expect(await first('--owner', 'source')).toMatchObject({ uid, gid })
    expect(await first('--map-uid', `${uid}=9`, '--map-gid', '99999=1')).toMatchObject({ uid: 9, gid })
    expect(await columns('mode', '--mode', 'source')).toMatchObject({ 'srv/a.js': 0o640 })
    expect(await columns('mode', '--mode', '0600:0700')).toMatchObject({
      'srv/a.js': 0o600,
      'srv/d': 0o700,
      srv: 0o755,
    })
    expect(await columns('mode', '--mode', '711')).toMatchObject({ 'srv/a.js': 0o711, 'srv/d': 0o711 })
  })

  test('without what patterns leave out, links and parents as told, and at the level given', async () => {
    const patterns = join(place.path, 'patterns')
    writeFileSync(patterns, '# logs\n**/*.log\n!d/c.log\n')
    const paths = async (...args: string[]) => (await layerOf(...args)).map(({ path }) => path)
    expect(await paths('--ignore-file', patterns)).toEqual(['srv', 'srv/a.js', 'srv/d', 'srv/d/c.log', 'srv/d/linked'])
    expect(await paths('--ignore-file', patterns, '--ignore', 'd')).toEqual(['srv', 'srv/a.js'])
    expect(await paths('--no-parents', '--ignore', 'd', '--ignore', '*.log')).toEqual(['srv/a.js'])
    expect(await columns('type', '--hard-links', 'copy', '--compression', 'none')).toMatchObject({
      'srv/d/linked': 'file',
    })
    const stored = await append('--level', '0', '--json')
    const packed = await append('--level', '9', '--json')
    expect(JSON.parse(stored.stdout).layers[0].descriptor.size).toBeGreaterThan(
      JSON.parse(packed.stdout).layers[0].descriptor.size,
    )
  })
})

test.each([
  [['--mtime', 'yesterday'], 'ERR_USAGE', 2],
  [['--mtime', '2001-19-39'], 'ERR_USAGE', 2],
  [['--mtime', 'clamp:'], 'ERR_USAGE', 2],
  [['--owner', 'root'], 'ERR_USAGE', 2],
  [['--owner', '1', '--map-uid', '1=2'], 'ERR_USAGE', 2],
  [['--map-uid', '1:2'], 'ERR_USAGE', 2],
  [['--mode', '0999'], 'ERR_USAGE', 2],
  [['--hard-links', 'maybe'], 'ERR_USAGE', 2],
  [['--level', 'high'], 'ERR_USAGE', 2],
  [['--level', '12'], 'ERR_INVALID_ARGUMENT', 1],
  [['--ignore-file', '/no/such/file'], 'ERR_SOURCE_NOT_FOUND', 1],
  [['--ignore', '[a'], 'ERR_INVALID_ARGUMENT', 1],
  [['--mode', '77777'], 'ERR_INVALID_ARGUMENT', 1],
  [['--dir', '/no/such/directory'], 'ERR_SOURCE_NOT_FOUND', 1],
] as const)('%j is refused with %s, and nothing is named', async (args, error, exit) => {
  const { code, stdout, stderr } = await append(...args)
  expect([code, stdout]).toEqual([exit, ''])
  expect(stderr).toMatch(new RegExp(`layerstore: .+ \\(${error}\\)\n$`))
  await using opened = await openStore(store)
  expect(await opened.references.get('app:1')).toBeUndefined()
})
