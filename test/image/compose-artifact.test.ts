import { expect, test } from 'vitest'
import { composeArtifact } from '../../lib/image/index.ts'
import { parseManifest } from '../../lib/oci/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { sampleImage } from '../helpers/sample-image.ts'

const artifactType = 'application/vnd.example.report'
/** SPEC: the descriptor of the empty blob is given in manifest.md. */
const empty = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  size: 2,
  data: 'e30=',
}

test('an artifact has its type, the empty config, and a titled layer for each content', async () => {
  const store = createMemoryStore()
  const layers = [
    { title: 'report.json', mediaType: 'application/json', content: '{"ok":true}' },
    { content: Buffer.from('raw'), annotations: { part: '2' } },
  ]
  const { descriptor, manifest } = await composeArtifact(store, { artifactType, layers, annotations: { run: '7' } })
  expect(manifest).toMatchObject({
    artifactType,
    config: empty,
    annotations: { run: '7' },
    layers: [
      { mediaType: 'application/json', size: 11, annotations: { 'org.opencontainers.image.title': 'report.json' } },
      { mediaType: 'application/octet-stream', size: 3, annotations: { part: '2' } },
    ],
  })
  expect(parseManifest(await readAll(store.read(descriptor.digest)))).toEqual(manifest)
  expect(await store.references.set('report:7', descriptor)).toBe('report:7')
  const again = await composeArtifact(createMemoryStore(), { artifactType, layers, annotations: { run: '7' } })
  expect(again.descriptor).toEqual(descriptor)
})

test('an artifact without content lists the empty blob; a config of its own and stored blobs are taken', async () => {
  const store = createMemoryStore()
  expect((await composeArtifact(store, { artifactType })).manifest.layers).toEqual([empty])
  const stored = { mediaType: 'text/plain', ...(await store.put(Buffer.from('text'))) }
  const config = { mediaType: 'application/vnd.example.config+json', content: '{"v":1}' }
  const { manifest } = await composeArtifact(store, { artifactType, config, layers: [stored] })
  expect(manifest).toMatchObject({ config: { mediaType: config.mediaType, size: 7 }, layers: [stored] })
})

test('an artifact about an image names it by media type, digest and size', async () => {
  const store = createMemoryStore()
  const { descriptor } = await sampleImage(store, [{ a: 'a' }])
  const { manifest } = await composeArtifact(store, {
    artifactType,
    subject: { ...descriptor, annotations: { a: 'b' } },
  })
  expect(manifest.subject).toEqual(descriptor)
})

test('a type that is no media type, and a wrong subject, are refused, and nothing is named', async () => {
  const store = createMemoryStore()
  for (const wrong of ['report', 'a/b c', '', undefined]) {
    await expect(composeArtifact(store, { artifactType: wrong as string })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  }
  const subject = { mediaType: 'x/y', digest: 'sha256:1' as never, size: 1 }
  await expect(composeArtifact(store, { artifactType, subject })).rejects.toMatchObject({
    code: 'ERR_INVALID_DESCRIPTOR',
  })
  const layers = [{ content: 'x', mediaType: 'no type' }]
  await expect(composeArtifact(store, { artifactType, layers })).rejects.toMatchObject({
    code: 'ERR_INVALID_DESCRIPTOR',
  })
})
