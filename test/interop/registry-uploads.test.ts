import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createFaultyRegistry } from '../../lib/testing/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { type DockerRegistry, startDockerRegistry } from '../helpers/start-docker-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { uploadMemory } from '../helpers/upload-memory.ts'

const user = { username: 'ann', password: 'a secret: with colons' }
const cases = [
  { name: 'open', options: {}, credentials: false },
  { name: 'with htpasswd', options: { htpasswd: user }, credentials: user },
] as const
const here = ['docker-registry', 'htpasswd'].map(needsProgram).every(Boolean)
const { bytes, descriptor } = sampleBlob(1_000_000)
const open = async function* () {
  for (let at = 0; at < bytes.byteLength; at += 70_000) yield bytes.subarray(at, at + 70_000)
}
const openAt = async function* (offset: number) {
  yield bytes.subarray(offset)
}
const describeBytes = async (content: Uint8Array, mediaType: string): Promise<Descriptor> => ({
  mediaType,
  digest: await digestOf(content),
  size: content.byteLength,
})

describe.runIf(here).each(cases)('docker-registry, $name', ({ options, credentials }) => {
  let docker: DockerRegistry
  const clientFor = (host: string): RegistryClient =>
    registryClientFor({ credentials: credentials && { [host]: credentials } })
  let registry: RegistryClient
  beforeAll(async () => {
    docker = await startDockerRegistry(options)
    registry = clientFor(docker.host)
  })
  afterAll(async () => {
    await registry?.close()
    await docker?.stop()
  })
  const repository = (name: string) => ({ registry: docker.host, repository: name })

  test.each([1, 100_000, 333_333, 999_999])('accepts a blob in chunks of %d bytes', async chunkBytes => {
    const size = chunkBytes === 1 ? 7 : bytes.byteLength
    const blob = sampleBlob(size, chunkBytes)
    const source = async function* () {
      yield blob.bytes
    }
    const to = repository(`pieces/of-${chunkBytes}`)
    await registry.pushBlob(to, blob.descriptor, source, { chunkBytes })
    expect((await readAll(registry.fetchBlob(to, blob.descriptor))).equals(blob.bytes)).toBe(true)
  })

  test('lets another client resume an interrupted upload at the offset that it reports', async () => {
    await using faulty = await createFaultyRegistry({ upstream: docker.host })
    const to = { registry: faulty.host, repository: 'resumed' }
    const uploads = uploadMemory()
    const options = { chunkBytes: 100_000, openAt, uploads }
    faulty.misbehave({ kind: 'answer', status: 503 }, { method: 'PATCH', skip: 4, times: 99 })
    await using first = clientFor(faulty.host)
    expect(await thrownBy(() => first.pushBlob(to, descriptor, open, options))).toMatchObject({ status: 503 })
    faulty.behave()
    await using second = clientFor(faulty.host)
    expect(await second.statUpload(to, descriptor.digest, uploads)).toBe(400_000)
    const before = faulty.seen.length
    await second.pushBlob(to, descriptor, open, options)
    const later = faulty.seen.slice(before)
    expect(later.reduce((sum, { received }) => sum + received, 0)).toBe(600_000)
    expect(later.filter(({ method }) => method === 'POST')).toEqual([])
    expect((await readAll(second.fetchBlob(to, descriptor))).equals(bytes)).toBe(true)
    expect(await second.statUpload(to, descriptor.digest, uploads)).toBeUndefined()
  })

  test('serves a blob in several concurrent ranges', async () => {
    const blob = sampleBlob(9_000_000, 5)
    const source = async function* () {
      yield blob.bytes
    }
    await registry.pushBlob(repository('ranges'), blob.descriptor, source)
    const got = await readAll(registry.fetchBlob(repository('ranges'), blob.descriptor, { parallel: 3 }))
    expect(got.equals(blob.bytes)).toBe(true)
  })

  test('lists repositories, and deletes manifests and blobs', async () => {
    const to = repository('deleted')
    const config = await describeBytes(Buffer.from('{}'), MediaType.OciConfig)
    await registry.pushBlob(to, config, async function* () {
      yield Buffer.from('{}')
    })
    const content = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers: [] }),
    )
    const manifest = { bytes: content, descriptor: await describeBytes(content, MediaType.OciManifest) }
    await registry.pushManifest(to, manifest, ['a', 'b', 'c'])
    const names: string[] = []
    for await (const name of registry.listRepositories(docker.host)) names.push(name)
    expect(names).toContain('deleted')
    for (const tag of ['a', 'b', 'c']) expect(await registry.resolve({ ...to, tag })).toEqual(manifest.descriptor)
    expect(await registry.deleteManifest(to, manifest.descriptor.digest)).toBe(true)
    expect(await registry.deleteManifest(to, manifest.descriptor.digest)).toBe(false)
    expect(await thrownBy(() => registry.resolve({ ...to, tag: 'a' }))).toMatchObject({
      code: 'ERR_MANIFEST_NOT_FOUND',
    })
    expect(await registry.deleteBlob(to, config.digest)).toBe(true)
    expect(await registry.deleteBlob(to, config.digest)).toBe(false)
    expect(await registry.statBlob(to, config.digest)).toBeUndefined()
  })

  test('keeps referrers under the fallback tag, for lack of an API', async () => {
    const to = repository('referred')
    const empty = await describeBytes(Buffer.from('{}'), MediaType.OciEmpty)
    await registry.pushBlob(to, empty, async function* () {
      yield Buffer.from('{}')
    })
    const push = async (document: object) => {
      const content = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.OciManifest, ...document }))
      const manifest = { bytes: content, descriptor: await describeBytes(content, MediaType.OciManifest) }
      await registry.pushManifest(to, manifest)
      return manifest.descriptor
    }
    const subject = await push({ config: empty, layers: [empty] })
    const signatures = await Promise.all(
      ['a/sig', 'a/sbom', 'a/sig'].map((artifactType, i) =>
        push({ config: empty, layers: [empty], subject, artifactType, annotations: { i: `${i}` } }),
      ),
    )
    const list = async (artifactType?: string) => {
      const found: Descriptor[] = []
      for await (const one of registry.listReferrers(to, subject.digest, { artifactType })) found.push(one)
      return found
    }
    expect((await list()).map(({ digest }) => digest).sort()).toEqual(signatures.map(({ digest }) => digest).sort())
    expect(await list('a/sbom')).toMatchObject([{ digest: signatures[1]!.digest, annotations: { i: '1' } }])
    expect(await registry.deleteManifest(to, signatures[1]!.digest)).toBe(true)
    expect(await list('a/sbom')).toEqual([])
    expect(await list()).toHaveLength(2)
  })

  test('answers a mount without from by starting an upload', async () => {
    const { digest } = descriptor
    expect(await registry.mountBlob(repository('mounted'), digest)).toBe(false)
    await using faulty = await createFaultyRegistry({ upstream: docker.host })
    await using client = clientFor(faulty.host)
    const blob = sampleBlob(1000, 77)
    const push = (name: string, from?: string) =>
      client.pushBlob(
        { registry: faulty.host, repository: name },
        blob.descriptor,
        async function* () {
          yield blob.bytes
        },
        from === undefined ? {} : { mount: { from } },
      )
    expect(await push('mount/first')).toBe('uploaded')
    expect(await push('mount/second')).toBe('uploaded')
    const posts = faulty.seen.filter(
      ({ method, headers }) => method === 'POST' && (headers.authorization || !credentials),
    )
    expect(posts.map(({ path }) => path.includes('?mount='))).toEqual([true, true])
    expect(faulty.seen.some(({ method }) => method === 'DELETE')).toBe(false)
    expect(await push('mount/third', 'mount/first')).toBe('mounted')
    expect((await readAll(registry.fetchBlob(repository('mount/third'), blob.descriptor))).equals(blob.bytes)).toBe(
      true,
    )
  })
})
