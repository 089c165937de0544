import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { composeArtifact, composeIndex, readArtifact } from '../../lib/image/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { pushImage } from '../../lib/transfer/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { ref, registry, serveRegistry, store } from '../helpers/served-registry.ts'

serveRegistry()
const artifactType = 'application/vnd.example.report'

test('an artifact is read alike from a store and from a registry, blob by blob', async () => {
  const layers = [{ title: 'a.json', content: '{}' }, { content: 'raw' }]
  const made = await composeArtifact(store, { artifactType, layers })
  await store.references.set('report:1', made.descriptor)
  await pushImage(store, registry, 'report:1', ref('report:1'))
  for (const read of [await readArtifact(store, 'report:1'), await readArtifact(registry, ref('report:1'))]) {
    expect(read).toMatchObject({ descriptor: { digest: made.descriptor.digest }, manifest: made.manifest })
    expect(read.layers.map(({ title }) => title)).toEqual(['a.json', undefined])
    const contents = await Promise.all(read.layers.map(layer => buffer(layer.read())))
    expect(contents.map(String)).toEqual(['{}', 'raw'])
  }
})

test('wrong bytes of a registry, and an index, are refused', async () => {
  const { descriptor, manifest } = await composeArtifact(store, { artifactType, layers: [{ content: 'raw' }] })
  const lying = {
    fetchManifest: async () => ({ descriptor, bytes: await buffer(store.read(descriptor.digest)) }),
    async *fetchBlob() {
      yield Buffer.from('war')
    },
  }
  const [layer] = (await readArtifact(lying, 'reports:1')).layers
  expect(layer!.descriptor).toEqual(manifest.layers[0])
  await expect(buffer(layer!.read())).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
  const other = createMemoryStore()
  const index = await composeIndex(other, { images: [await sampleImage(other, [{ a: 'a' }])] })
  const read = readArtifact(other, index.descriptor.digest)
  await expect(read).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' })
})
