import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Digest, digestOf, parseDigest } from '../../lib/digest/index.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import { createRegistryClient, type RegistryClient } from '../../lib/registry/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { type DockerRegistry, startDockerRegistry } from '../helpers/start-docker-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const user = { username: 'ann', password: 'a secret: with colons' }
const cases = [
  { name: 'open', options: {}, credentials: false },
  { name: 'with htpasswd', options: { htpasswd: user }, credentials: user },
] as const

const describeBlob = async (bytes: Uint8Array, mediaType: string = MediaType.OciLayer): Promise<Descriptor> => ({
  mediaType,
  digest: await digestOf(bytes),
  size: bytes.byteLength,
})
const read = async (chunks: AsyncIterable<Uint8Array>) => {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}
const sourceOf = (bytes: Uint8Array) =>
  async function* () {
    for (let at = 0; at < bytes.byteLength; at += 100_000) yield bytes.subarray(at, at + 100_000)
  }
const bytesOf = (size: number, seed: number) => Buffer.alloc(size).map((_, i) => (i * seed + (i >> 8)) & 0xff)

describe.each(cases)('docker-registry, $name', ({ options, credentials }) => {
  const here = ['docker-registry', 'htpasswd'].map(needsProgram).every(Boolean)
  let docker: DockerRegistry
  let registry: RegistryClient
  beforeAll(async () => {
    if (!here) return
    docker = await startDockerRegistry(options)
    registry = createRegistryClient({ credentials: credentials && { [docker.host]: credentials } })
  })
  afterAll(async () => {
    await registry?.close()
    await docker?.stop()
  })
  const repository = (path: string) => ({ registry: docker.host, repository: path })

  test.runIf(here)('pushes and pulls an image byte for byte', async () => {
    const app = repository('team/app')
    const layer = bytesOf(3_000_001, 7)
    const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
    const [layerBlob, configBlob] = [await describeBlob(layer), await describeBlob(config, MediaType.OciConfig)]
    expect(await registry.statBlob(app, layerBlob.digest)).toBeUndefined()
    await registry.pushBlob(app, layerBlob, sourceOf(layer))
    await registry.pushBlob(app, configBlob, sourceOf(config))
    expect(await registry.statBlob(app, layerBlob.digest)).toEqual({ size: layer.byteLength })

    const document = { schemaVersion: 2, mediaType: MediaType.OciManifest, config: configBlob, layers: [layerBlob] }
    const bytes = Buffer.from(JSON.stringify(document))
    const manifest = { bytes, descriptor: await describeBlob(bytes, MediaType.OciManifest) }
    expect(await registry.pushManifest(app, manifest, 'v1')).toBe(manifest.descriptor.digest)
    expect(await registry.pushManifest(app, manifest)).toBe(manifest.descriptor.digest)

    expect(await registry.resolve({ ...app, tag: 'v1' })).toEqual(manifest.descriptor)
    const { digest } = manifest.descriptor
    const fetched = await registry.fetchManifest({ ...app, digest })
    expect(fetched.descriptor).toEqual(manifest.descriptor)
    expect(Buffer.from(fetched.bytes).equals(bytes)).toBe(true)
    expect((await read(registry.fetchBlob(app, layerBlob))).equals(layer)).toBe(true)
    const rest = await read(registry.fetchBlob(app, layerBlob, { offset: 2_999_990 }))
    expect(rest.equals(layer.subarray(2_999_990))).toBe(true)
  })

  test.runIf(here)('mounts a blob from a repository that has it only', async () => {
    const blob = bytesOf(1000, 11)
    const descriptor = await describeBlob(blob)
    await registry.pushBlob(repository('from/here'), descriptor, sourceOf(blob))
    expect(await registry.mountBlob(repository('to/there'), descriptor.digest, 'from/here')).toBe(true)
    expect(await registry.statBlob(repository('to/there'), descriptor.digest)).toEqual({ size: 1000 })
    const missing = await digestOf(Buffer.from('nobody has this'))
    expect(await registry.mountBlob(repository('to/there'), missing, 'from/here')).toBe(false)
  })

  test.runIf(here)('lists tags, also of an empty and of a missing repository', async () => {
    const app = repository('tagged')
    const config = Buffer.from('{}')
    const descriptor = await describeBlob(config, MediaType.OciConfig)
    await registry.pushBlob(app, descriptor, sourceOf(config))
    const document = { schemaVersion: 2, mediaType: MediaType.OciManifest, config: descriptor, layers: [] }
    const bytes = Buffer.from(JSON.stringify(document))
    const manifest = { bytes, descriptor: await describeBlob(bytes, MediaType.OciManifest) }
    for (const tag of ['a', 'b', 'c']) await registry.pushManifest(app, manifest, tag)
    const tags: string[] = []
    for await (const tag of registry.listTags(app)) tags.push(tag)
    expect(tags.sort()).toEqual(['a', 'b', 'c'])
    const error = await thrownBy(() => registry.listTags(repository('nowhere'))[Symbol.asyncIterator]().next())
    expect(error).toMatchObject({ code: 'ERR_REGISTRY', status: 404, errors: [{ code: 'NAME_UNKNOWN' }] })
  })

  test.runIf(here)('reports missing blobs, manifests and tags with their own codes', async () => {
    const nowhere = repository('nowhere')
    const digest: Digest = parseDigest(`sha256:${'0'.repeat(64)}`)
    expect(await thrownBy(() => registry.resolve({ ...nowhere, tag: 'x' }))).toMatchObject({
      code: 'ERR_MANIFEST_NOT_FOUND',
    })
    expect(await thrownBy(() => registry.fetchManifest({ ...nowhere, digest }))).toMatchObject({
      code: 'ERR_MANIFEST_NOT_FOUND',
    })
    const blob = { mediaType: MediaType.OciLayer, digest, size: 5 }
    expect(await thrownBy(() => read(registry.fetchBlob(nowhere, blob)))).toMatchObject({
      code: 'ERR_REMOTE_BLOB_NOT_FOUND',
    })
  })

  test.runIf(here)('the registry refuses a blob with a wrong digest and stores nothing', async () => {
    const descriptor = await describeBlob(Buffer.from('the right bytes'))
    const error = await thrownBy(() =>
      registry.pushBlob(repository('wrong'), descriptor, sourceOf(Buffer.from('the wrong bytes'))),
    )
    expect(error).toMatchObject({ code: 'ERR_REGISTRY', errors: [{ code: 'DIGEST_INVALID' }], retryable: false })
    expect(await registry.statBlob(repository('wrong'), descriptor.digest)).toBeUndefined()
  })

  test.runIf(here)('pushes an empty blob', async () => {
    const descriptor = await describeBlob(Buffer.alloc(0))
    await registry.pushBlob(repository('empty'), descriptor, sourceOf(Buffer.alloc(0)))
    expect(await registry.statBlob(repository('empty'), descriptor.digest)).toEqual({ size: 0 })
    expect((await read(registry.fetchBlob(repository('empty'), descriptor))).byteLength).toBe(0)
  })
})

describe('docker-registry with htpasswd', () => {
  test.runIf(needsProgram('docker-registry') && needsProgram('htpasswd'))(
    'access is denied without credentials and with wrong ones',
    async () => {
      await using docker = await startDockerRegistry({ htpasswd: user })
      const wrong = { [docker.host]: { username: 'ann', password: 'guess' } }
      for (const credentials of [false, wrong] as const) {
        await using registry = createRegistryClient({ credentials })
        const error = await thrownBy(() => registry.resolve({ registry: docker.host, repository: 'a', tag: 'b' }))
        expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED', status: 401 })
        expect(JSON.stringify(error) + error.message).not.toContain('guess')
      }
    },
  )
})
