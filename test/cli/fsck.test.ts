import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { blobPath, damageBlob } from '../helpers/store-subjects.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let remote: Store
let server: Awaited<ReturnType<typeof serveStore>>
let layer: Awaited<ReturnType<typeof sampleImage>>['layers'][number]
const path = () => join(directory.path, 'store')
const run = (...args: string[]) => cli(args, { store: path() })

beforeEach(async () => {
  directory = temporaryDirectory('fsck')
  remote = createMemoryStore()
  const image = await sampleImage(remote, [{ a: Buffer.alloc(50_000, 'a') }], { name: 'team/app:1' })
  layer = image.layers[0]!
  server = await serveStore(remote)
  expect((await run('pull', `${server.host}/team/app:1`, '-t', 'app:1', '--platform', 'linux/amd64')).code).toBe(0)
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  directory[Symbol.dispose]()
})

test('fsck of a sound store ends with 0, and says what it read', async () => {
  const { code, stdout } = await run('fsck')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^read 3 blobs, .+, and followed 1 name: nothing wrong\n$/)
  expect(JSON.parse((await run('fsck', '--json')).stdout)).toMatchObject({ kind: 'check', sound: true, blobs: 3 })
})

test('fsck of a damaged store ends with 1, and names what is wrong and the way that leads there', async () => {
  damageBlob(path(), layer.descriptor.digest, 'flip')
  const { code, stdout } = await run('fsck')
  expect(code).toBe(1)
  expect(stdout).toContain('tag app:1 → manifest → layer')
  expect(stdout).toContain('1 corrupt')
  const json = await run('fsck', '--json')
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout).problems).toMatchObject([{ class: 'corrupt', digest: layer.descriptor.digest }])
  expect((await run('fsck', '--no-content')).code).toBe(0)
})

test('fsck --repair REF fetches only what is damaged, and the store is sound again', async () => {
  damageBlob(path(), layer.descriptor.digest, 'shorten')
  server.requests.length = 0
  const { code, stdout } = await run('fsck', '--repair', `${server.host}/team/app:1`)
  expect(code).toBe(0)
  expect(stdout).toContain(`repaired ${layer.descriptor.digest} from ${server.host}/team/app`)
  expect(server.requests.filter(request => request.startsWith('GET') && request.includes('/blobs/'))).toHaveLength(1)
  expect((await run('fsck')).code).toBe(0)
})

test.each([
  ['another store', () => `oci:${join(directory.path, 'backup')}`],
  ['an image of another store', () => `oci:${join(directory.path, 'backup')}:app:1`],
  ['an archive', () => `oci-archive:${join(directory.path, 'backup.tar')}`],
])('fsck --repair fetches from %s, without asking a registry', async (_, from) => {
  const [backup, file] = [join(directory.path, 'backup'), join(directory.path, 'backup.tar')]
  expect((await run('copy', 'store:app:1', `oci:${backup}:app:1`)).code).toBe(0)
  expect((await run('copy', 'store:app:1', `oci-archive:${file}:app:1`)).code).toBe(0)
  damageBlob(path(), layer.descriptor.digest, 'flip')
  server.requests.length = 0
  const { code, stdout, stderr } = await run('fsck', '--repair', from())
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain(`repaired ${layer.descriptor.digest} from ${from()}`)
  expect(server.requests).toEqual([])
  expect((await run('fsck')).code).toBe(0)
})

test('fsck --repair from a damaged store leaves what is missing, and says what that store answered', async () => {
  const backup = join(directory.path, 'backup')
  expect((await run('copy', 'store:app:1', `oci:${backup}:1`)).code).toBe(0)
  await remote.delete(layer.descriptor.digest)
  for (const damaged of [backup, path()]) damageBlob(damaged, layer.descriptor.digest, 'flip')
  const { code, stdout } = await run('fsck', '--repair', `oci:${backup}`)
  expect(code).toBe(1)
  expect(stdout).toContain(`oci:${backup}: `)
})

test('fsck --repair without a reference fetches from where the store knows each blob to be', async () => {
  const store = await openStore(path())
  const manifest = (await store.references.get('app:1'))!
  await store.close()
  rmSync(blobPath(path(), layer.descriptor.digest))
  rmSync(blobPath(path(), manifest.digest))
  const { code, stdout } = await run('fsck', '--repair', '--json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout).repair.repaired).toMatchObject([
    { digest: manifest.digest, source: 'known repositories' },
    { digest: layer.descriptor.digest, source: 'known repositories' },
  ])
})

test('an unrepaired blob is reported with the answer of each source, and the exit code is 1', async () => {
  rmSync(blobPath(path(), layer.descriptor.digest))
  await remote.delete(layer.descriptor.digest)
  const { code, stdout } = await run('fsck', '--repair', `${server.host}/team/app`)
  expect(code).toBe(1)
  expect(stdout).toMatch(/not repaired: sha256:[0-9a-f]+: .+; known repositories: /)
  rmSync(join(path(), '.layerstore/facts'), { recursive: true })
  expect((await run('fsck', '--repair')).stdout).toContain('known repositories: no blob')
})

test('fsck --quarantine moves what is corrupt', async () => {
  damageBlob(path(), layer.descriptor.digest, 'flip')
  const { code, stdout } = await run('fsck', '--quarantine', '--json')
  expect(code).toBe(1)
  expect(JSON.parse(stdout).problems[0].quarantinedTo).toMatch(/^\.layerstore\/quarantine\/sha256-/)
})

test('fsck opens a store that no other command opens, and --repair makes it usable', async () => {
  writeFileSync(join(path(), 'index.json'), readFileSync(join(path(), 'index.json')).subarray(1))
  expect((await run('images')).stderr).toContain('ERR_STORE_FORMAT')
  const found = await run('fsck')
  expect(found).toMatchObject({ code: 1 })
  expect(found.stdout).toContain('1 not understood')
  const { code, stdout } = await run('fsck', '--repair')
  expect(code).toBe(0)
  expect(stdout).toContain('mended index.json')
  expect((await run('images')).stdout).toContain('app:1')
})

test('fsck does not make a store, reads no faster than told, and refuses what cannot be meant', async () => {
  expect(await cli(['fsck'], { store: join(directory.path, 'absent') })).toMatchObject({ code: 1 })
  expect((await run('fsck', '--max-rate', '10MB', '--resume')).code).toBe(0)
  expect((await run('fsck', '--max-rate', 'fast')).code).toBe(2)
  expect((await run('fsck', '--repair', 'NOT A REFERENCE')).code).toBe(1)
  expect((await run('fsck', '--repair', 'store:app:1')).code).toBe(2)
  expect((await run('fsck', '--repair', `oci:${join(directory.path, 'absent')}`)).code).toBe(1)
})
