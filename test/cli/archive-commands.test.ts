import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { dockerArchive } from '../helpers/docker-archive.ts'
import { sha256 } from '../helpers/push-image.ts'
import { rawTar } from '../helpers/raw-tar.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndexImage } from '../helpers/sample-index-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let store: string
beforeEach(async () => {
  place = temporaryDirectory('cli-archive')
  store = join(place.path, 'store')
  await using opened = await openStore(store)
  await sampleImage(opened, [{ a: '1' }], { name: 'app:1' })
  await sampleImage(opened, [{ b: '2' }], { name: 'db:2' })
})
afterEach(() => place[Symbol.dispose]())
const at = (name: string) => join(place.path, name)
const run = (...args: string[]) => cli(args, { store })
const elsewhere = (...args: string[]) => cli(args, { store: at('other') })
async function* stream(bytes: Uint8Array) {
  yield bytes
}
/** `manifest` prints the bytes as they are, and a newline that is not theirs. */
const digestOf = async (name: string, ...where: string[]) =>
  sha256((await cli([...where, 'manifest', name], { store })).stdout.trimEnd())

test.each(['oci', 'docker'])(
  'save --format %s and load bring images with their digests to another store',
  async format => {
    const saved = await run('save', 'app:1', 'db:2', '-o', at('images.tar'), '--format', format)
    expect(saved).toEqual({
      code: 0,
      stdout: `${at('images.tar')}\n`,
      stderr: expect.stringMatching(/images\.tar: 2 names, .*B\n$/),
    })
    expect(await elsewhere('load', '-i', at('images.tar'))).toEqual({ code: 0, stdout: 'app:1\ndb:2\n', stderr: '' })
    for (const name of ['app:1', 'db:2']) {
      expect(await digestOf(name, '--store', at('other'))).toBe(await digestOf(name))
    }
  },
)

test('save and load fit into a pipe', async () => {
  const chunks: Uint8Array[] = []
  const saved = await cli(['save', 'app:1'], { store, onBytes: chunk => chunks.push(chunk) })
  expect(saved).toMatchObject({ code: 0, stderr: '' })
  const loaded = await cli(['load', '--json'], { store: at('other'), stdin: stream(Buffer.concat(chunks)) })
  expect(JSON.parse(loaded.stdout)).toEqual([
    {
      names: ['app:1'],
      labels: ['app:1'],
      descriptor: expect.objectContaining({ digest: await digestOf('app:1') }),
      platformsLeftOut: [],
    },
  ])
})

test('docker-archive: follows the list of docker where the layout beside it is wrong', async () => {
  const { entries, config, layers } = dockerArchive(['first'])
  const digests = [sha256(config), ...layers.map(sha256)]
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config: { mediaType: MediaType.OciConfig, digest: sha256(config), size: config.length },
    layers: [],
  })
  const described = { mediaType: MediaType.OciManifest, digest: sha256(manifest), size: manifest.length }
  const tar = rawTar([
    ...entries,
    { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { path: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests: [described] }) },
    { path: `blobs/sha256/${described.digest.slice(7)}`, content: manifest },
    ...[config, ...layers].map((content, i) => ({ path: `blobs/sha256/${digests[i]!.slice(7)}`, content })),
  ])
  writeFileSync(at('saved.tar'), tar)
  const plain = await elsewhere('load', '-i', at('saved.tar'))
  expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining('docker-archive:FILE') })
  const loaded = await elsewhere('load', '-i', `docker-archive:${at('saved.tar')}`)
  expect(loaded).toMatchObject({ code: 0, stdout: 'app:1.0\n' })
  const copied = await elsewhere('copy', `docker-archive:${at('saved.tar')}`, 'store:copied:1')
  expect(copied.code).toBe(0)
  for (const name of ['app:1.0', 'copied:1']) expect((await elsewhere('files', name)).stdout).toContain('first.txt')
})

test('one of several images is loaded by its address, under a name of choice', async () => {
  await run('save', 'app:1', 'db:2', '-o', at('images.tar'), '--compression', 'gzip')
  expect(await elsewhere('load', '-i', `oci-archive:${at('images.tar')}:db:2`, '-t', 'mine:3')).toMatchObject({
    code: 0,
    stdout: 'mine:3\n',
  })
  expect(await elsewhere('load', '-i', `docker-archive:${at('images.tar')}:@0`)).toMatchObject({ stdout: 'app:1\n' })
  expect(await elsewhere('load', '-i', `oci-archive:${at('images.tar')}:none`)).toEqual({
    code: 1,
    stdout: '',
    stderr: 'layerstore: no image named none in the archive (ERR_REFERENCE_NOT_FOUND)\n',
  })
})

test('the command reports images that it left out, and images without a name', async () => {
  {
    await using opened = await openStore(store)
    await sampleIndexImage(opened, ['amd64', 'arm64'], 'many:1')
  }
  await run('save', 'many:1', '-o', at('many.tar'))
  const loaded = await elsewhere('load', '-i', at('many.tar'), '--platform', 'linux/arm64')
  expect(loaded).toEqual({ code: 0, stdout: 'many:1\n', stderr: 'many:1: left out linux/amd64\n' })
  writeFileSync(at('nameless.tar'), rawTar(dockerArchive(['x'], { tags: null }).entries))
  expect(await elsewhere('load', '-i', at('nameless.tar'))).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/),
    stderr: expect.stringMatching(/^sha256:[0-9a-f]{64} has no name: give it one with -t, or gc takes it\n$/),
  })
})

test('import makes an image of a tar, from a file and from stdin, and prints its digest', async () => {
  const tar = rawTar([{ path: 'etc/conf', content: 'a = 1' }])
  writeFileSync(at('root.tar'), tar)
  const options = ['-t', 'root:1', '--cmd', '["/bin/sh"]', '-e', 'A=b', '--platform', 'linux/arm64']
  const { code, stdout } = await run('import', at('root.tar'), ...options)
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) })
  expect((await cli(['import', '-', ...options], { store, stdin: stream(tar) })).stdout).toBe(stdout)
  expect((await run('cat', 'root:1', 'etc/conf', '--platform', 'linux/arm64')).stdout).toBe('a = 1')
  expect(JSON.parse((await run('config', 'root:1')).stdout)).toMatchObject({
    architecture: 'arm64',
    config: { Cmd: ['/bin/sh'], Env: ['A=b'] },
  })
})

test.each([
  [['save', 'app:1', '-o', 'x.tar', '--format', 'zip'], 'ERR_USAGE', 2],
  [['save', 'app:1', '-o', 'x.tar', '--compression', 'xz'], 'ERR_USAGE', 2],
  [['save', 'app:1', '--json'], 'ERR_USAGE', 2],
  [['save', 'none:1', '-o', 'x.tar'], 'ERR_REFERENCE_NOT_FOUND', 1],
  [['load', '-i', 'none.tar'], 'ERR_SOURCE_NOT_FOUND', 1],
  [['load', '-i', 'none.tar', '-t', 'No'], 'ERR_INVALID_REFERENCE', 1],
  [['load'], 'ERR_INVALID_LAYOUT', 1],
  [['import', 'none.tar'], 'ERR_USAGE', 2],
  [['import', 'none.tar', '-t', 'x'], 'ERR_SOURCE_NOT_FOUND', 1],
])('%j ends with %s', async (args, errorCode, code) => {
  const result = await run(...args)
  expect(result.code).toBe(code)
  expect(result.stdout + result.stderr).toContain(errorCode)
  expect(existsSync('x.tar')).toBe(false)
})

test('an archive is not written to a terminal, and none is waited for from one', async () => {
  expect(await cli(['save', 'app:1'], { store, tty: true })).toMatchObject({ code: 2, stdout: '' })
  const stdin = Object.assign(stream(Buffer.alloc(0)), { isTTY: true })
  expect(await cli(['load'], { store, stdin })).toMatchObject({ code: 2, stderr: expect.stringContaining('ERR_USAGE') })
  expect(existsSync(at('other'))).toBe(false)
})
