import { expect, test } from 'vitest'
import { composeArtifact } from '../../lib/image/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import { attachArtifact, pushImage } from '../../lib/transfer/index.ts'
import { type FoundAttestation, findAttestations, makeStatement, putAttestations } from '../../lib/trust/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { ref, registry, remote, serveRegistry, store } from '../helpers/served-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

serveRegistry()

async function attestedIndex(): Promise<{ image: Descriptor; index: Descriptor; entry: Descriptor }> {
  const { descriptor: image } = await sampleImage(store, [{ a: 'a' }])
  const statement = makeStatement({
    digest: image.digest as never,
    predicateType: 'https://p.test',
    predicate: { is: 1 },
  })
  const entry = await putAttestations(store, image, [statement])
  const stray = {
    ...entry,
    annotations: { ...entry.annotations, 'vnd.docker.reference.digest': `sha256:${'0'.repeat(64)}` },
  }
  const manifests = [{ ...image, platform: { os: 'linux', architecture: 'amd64' } }, entry, stray]
  const bytes = canonicalJson({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests })
  const index = { mediaType: MediaType.OciIndex, ...(await store.put(bytes)) }
  await store.references.set('app:1', index)
  return { image, index, entry }
}
const told = (found: readonly FoundAttestation[]) => found.map(({ place, subject, type }) => [place, subject, type])
const textOf = async ({ read }: FoundAttestation) => Buffer.from(await read()).toString()

test('statements of BuildKit are found in an index, with the platform of their image', async () => {
  const { image, entry } = await attestedIndex()
  const found = await findAttestations(store, 'app:1')
  expect(told(found)).toEqual([['index', image.digest, 'https://p.test']])
  expect(found[0]).toMatchObject({ platform: { os: 'linux', architecture: 'amd64' }, manifest: entry })
  expect(JSON.parse(await textOf(found[0]!))).toEqual({
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://p.test',
    subject: [{ name: '_', digest: { sha256: image.digest.slice(7) } }],
    predicate: { is: 1 },
  })
})

test('documents in a registry are found as referrers and under the tags of cosign, each once', async () => {
  const { image, index } = await attestedIndex()
  await pushImage(store, registry, 'app:1', ref('app:1'))
  const attach = (digest: string, artifactType: string, content: string) =>
    attachArtifact(registry, `${ref('app')}@${digest}`, {
      artifactType,
      layers: [{ content, mediaType: artifactType }],
    })
  await attach(index.digest, 'application/spdx+json', '{"spdx":1}')
  await attach(image.digest, 'application/vnd.cyclonedx+json', '{"cdx":1}')
  await attach(image.digest, 'application/vnd.example.report', '{"other":1}')
  const envelope = { mediaType: 'application/vnd.dsse.envelope.v1+json', content: '{"payload":""}' }
  for (const [suffix, layer] of [
    ['att', { ...envelope, annotations: { predicateType: 'https://cosign.test' } }],
    ['sbom', { mediaType: 'text/spdx+json', content: '{"tag":1}' }],
  ] as const) {
    const { descriptor } = await composeArtifact(store, { artifactType: 'application/x', layers: [layer] })
    await pushImage(store, registry, { descriptor }, ref(`app:${image.digest.replace(':', '-')}.${suffix}`))
  }
  const blobs = {
    ...remote,
    read: remote.read.bind(remote),
    stat: remote.stat.bind(remote),
    references: { get: async () => index },
  }
  const found = await findAttestations(blobs, ref('app:1'), { registry })
  expect(told(found)).toEqual([
    ['index', image.digest, 'https://p.test'],
    ['referrer', index.digest, 'application/spdx+json'],
    ['referrer', image.digest, 'application/vnd.cyclonedx+json'],
    ['tag', image.digest, 'https://cosign.test'],
    ['tag', image.digest, 'text/spdx+json'],
  ])
  expect(await Promise.all(found.slice(1).map(textOf))).toEqual([
    '{"spdx":1}',
    '{"cdx":1}',
    '{"payload":""}',
    '{"tag":1}',
  ])
})

test('an error of the registry is no empty list', async () => {
  const { index } = await attestedIndex()
  await registry.close()
  const error = await thrownBy(() => findAttestations(store, 'app:1', { registry }))
  expect(error.code).toMatch(/^ERR_/)
  expect(told(await findAttestations(store, index.digest))).toHaveLength(1)
})
