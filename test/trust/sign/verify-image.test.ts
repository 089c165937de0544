import { describe, expect, test } from 'vitest'
import type { Digest } from '../../../lib/digest/index.ts'
import { FormatError } from '../../../lib/errors/index.ts'
import { composeArtifact, composeIndex } from '../../../lib/image/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { attachArtifact, copyImage, pushImage, registrySourceEndpoint } from '../../../lib/transfer/index.ts'
import { generateSigningKeys, loadSigningKey, signImage, verifyImage } from '../../../lib/trust/index.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { serveStore } from '../../helpers/serve-store.ts'
import { ref, registry, serveRegistry, server, store } from '../../helpers/served-registry.ts'

serveRegistry()

const pair = await generateSigningKeys()
const key = await loadSigningKey(pair.privateKey)
const other = await generateSigningKeys({ algorithm: 'ed25519' })
const keys = [pair.publicKey]

/** Pushes an image and returns its place. */
async function pushed(name = 'team/app:1', content = 'one') {
  const { descriptor } = await sampleImage(store, [{ file: content }], { name: 'app' })
  await pushImage(store, registry, 'app', ref(name))
  return { registry, reference: ref(name), digest: descriptor.digest }
}

const forms = [
  { format: 'bundle' },
  { format: 'simple-signing' },
  { format: 'simple-signing', storage: 'referrer' },
] as const

test.each(forms)('an image in a registry is signed and verified: %o', async form => {
  const place = await pushed()
  const signed = await signImage(place, { key, ...form, annotations: { by: 'test' } })
  expect(signed).toMatchObject({ digest: place.digest, name: `${server.host}/team/app` })
  const [location] = signed.signatures
  expect(location!.tag !== undefined).toBe(form.format === 'simple-signing' && !('storage' in form))
  const found = await verifyImage(place, { keys })
  expect(found).toMatchObject({ digest: place.digest, attestations: [], refused: [], others: [] })
  expect(found.signatures).toEqual([
    { by: { kind: 'key', hint: key.hint, label: `key ${key.hint}` }, at: expect.any(String), format: form.format },
  ])
  expect(found.signatures[0]!.at).toBe(location!.tag ?? location!.digest)
})

test.each(forms)('an image in a store is signed and verified, and the signature stays: %o', async form => {
  const { descriptor } = await sampleImage(store, [{ file: 'one' }], { name: 'ghcr.io/team/app:1' })
  const place = { store, name: 'ghcr.io/team/app:1' }
  const signed = await signImage(place, { key, ...form })
  expect(signed.name).toBe('ghcr.io/team/app')
  expect(await verifyImage(place, { keys })).toMatchObject({ digest: descriptor.digest, signatures: [{}] })
  const byDigest = { store, name: descriptor.digest }
  if (form.format === 'bundle') expect(await verifyImage(byDigest, { keys })).toMatchObject({ signatures: [{}] })
})

test('a name of a layout that is a tag alone is signed under a given name only', async () => {
  const { descriptor } = await sampleImage(store, [{ file: 'one' }])
  await store.references.set('latest', descriptor, { verbatim: true })
  const place = { store, name: 'latest', verbatim: true }
  await expect(signImage(place, { key })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  const tag = { key, name: 'ghcr.io/team/app', format: 'simple-signing' } as const
  expect((await signImage(place, tag)).signatures[0]!.tag).toBe(`${descriptor.digest.replace(':', '-')}.sig`)
  expect(await verifyImage(place, { keys })).toMatchObject({ signatures: [{}] })
})

test('a bare word is the short name of a repository in a store, and names none in a layout', async () => {
  const { descriptor } = await sampleImage(store, [{ file: 'one' }], { name: 'app' })
  const own = { store, name: 'app' }
  await signImage(own, { key, name: 'ghcr.io/evil/app', format: 'simple-signing' })
  await expect(verifyImage(own, { keys })).rejects.toMatchObject({
    code: 'ERR_SIGNATURE_INVALID',
    reasons: [expect.stringMatching(/another name, "ghcr\.io\/evil\/app/)],
  })
  await store.references.set('app', descriptor, { verbatim: true })
  expect(await verifyImage({ ...own, verbatim: true }, { keys })).toMatchObject({ signatures: [{}] })
  expect(await verifyImage(own, { keys, signedName: false })).toMatchObject({ signatures: [{}] })
  expect(await signImage(own, { key })).toMatchObject({ name: 'docker.io/library/app' })
  expect(await verifyImage(own, { keys })).toMatchObject({ signatures: [{ format: 'bundle' }], refused: [{}] })
})

test('several signers are kept beside each other, and each verifies', async () => {
  const place = await pushed()
  const second = await loadSigningKey(other.privateKey)
  for (const format of ['bundle', 'simple-signing'] as const) {
    await signImage(place, { key, format })
    await signImage(place, { key: second, format })
  }
  for (const one of [pair, other]) {
    const { signatures, refused } = await verifyImage(place, { keys: [one.publicKey] })
    expect(signatures.map(({ format }) => format)).toEqual(['bundle', 'simple-signing'])
    expect(refused).toHaveLength(2)
  }
  expect((await verifyImage(place, { keys: [pair.publicKey, other.publicKey] })).signatures).toHaveLength(4)
})

test('a recursive signature is also one of each image of an index', async () => {
  const images = await Promise.all(
    ['amd64', 'arm64'].map(architecture => sampleImage(store, [{ file: architecture }], { architecture })),
  )
  const index = await composeIndex(store, { images })
  await store.references.set('index', index.descriptor)
  await pushImage(store, registry, 'index', ref('team/app:1'))
  const { signatures } = await signImage({ registry, reference: ref('team/app:1') }, { key, recursive: true })
  const digests = [index.descriptor, ...images.map(image => image.descriptor)].map(({ digest }) => digest)
  expect(signatures.map(({ subject }) => subject)).toEqual(digests)
  for (const digest of digests) {
    const place = { registry, reference: ref(`team/app@${digest}`) }
    expect(await verifyImage(place, { keys })).toMatchObject({ digest, signatures: [{}] })
  }
})

describe('what is refused', () => {
  test('an image without signature', async () => {
    const place = await pushed()
    await expect(verifyImage(place, { keys })).rejects.toMatchObject({
      code: 'ERR_SIGNATURE_MISSING',
      digest: place.digest,
      reasons: [],
    })
  })

  test('a signature of another key', async () => {
    const place = await pushed()
    await signImage(place, { key })
    const error = { code: 'ERR_SIGNATURE_INVALID', reasons: [expect.stringMatching(/no trusted key has made it$/)] }
    await expect(verifyImage(place, { keys: [other.publicKey] })).rejects.toMatchObject(error)
  })

  test('a signature of Notation is found and named', async () => {
    const place = await pushed()
    const artifactType = 'application/vnd.cncf.notary.signature'
    const subject = await registry.resolve({ registry: server.host, repository: 'team/app', tag: '1' })
    const made = await composeArtifact(store, {
      artifactType,
      layers: [{ content: 'jws', mediaType: 'application/jose+json' }],
      subject,
    })
    await pushImage(store, registry, made, ref(`team/app@${made.descriptor.digest}`))
    await expect(verifyImage(place, { keys })).rejects.toMatchObject({
      code: 'ERR_SIGNATURE_MISSING',
      reasons: [`not verified here: a signature of Notation, ${made.descriptor.digest}`],
    })
    await signImage(place, { key })
    const { others } = await verifyImage(place, { keys })
    expect(others).toEqual([{ at: made.descriptor.digest, type: artifactType }])
  })

  test('a signature of Notation travels with a copy to another registry, byte for byte', async () => {
    const place = await pushed()
    const artifactType = 'application/vnd.cncf.notary.signature'
    const { descriptor } = await attachArtifact(registry, place.reference, {
      artifactType,
      layers: [{ content: 'jws', mediaType: 'application/jose+json' }],
      annotations: { 'io.cncf.notary.x509chain.thumbprint#S256': '["00"]' },
    })
    await using target = await serveStore(createMemoryStore())
    const to = { registry, reference: `${target.host}/other/app:1` }
    const at = { registry: target.host, repository: 'other/app', digest: descriptor.digest }
    await copyImage(place, to)
    await expect(registry.resolve(at)).rejects.toMatchObject({ code: 'ERR_MANIFEST_NOT_FOUND' })
    await copyImage(place, to, { referrers: true })
    const listed = []
    for await (const one of registry.listReferrers(at, place.digest)) listed.push(one)
    expect(listed).toMatchObject([{ digest: descriptor.digest, artifactType, annotations: expect.any(Object) }])
    const [from, copied] = await Promise.all(
      [{ ...at, registry: server.host, repository: 'team/app' }, at].map(one => registry.fetchManifest(one)),
    )
    expect(copied!.bytes).toEqual(from!.bytes)
    await expect(verifyImage(to, { keys })).rejects.toMatchObject({
      reasons: [`not verified here: a signature of Notation, ${descriptor.digest}`],
    })
  })

  test('a broken referrer does not hide the signatures after it', async () => {
    const place = await pushed()
    const subject = await registry.resolve({ registry: server.host, repository: 'team/app', tag: '1' })
    const artifactType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
    for (const content of ['a', 'b', 'c', 'd']) {
      const made = await composeArtifact(store, {
        artifactType,
        layers: [{ content, mediaType: artifactType }],
        subject,
      })
      await pushImage(store, registry, made, ref(`team/app@${made.descriptor.digest}`))
    }
    await signImage(place, { key, format: 'simple-signing' })
    const source = registrySourceEndpoint(registry, place.reference)
    const broken = {
      ...source,
      async readDocument(): Promise<never> {
        throw new FormatError('ERR_INVALID_MANIFEST', 'no manifest')
      },
    }
    const { signatures, refused } = await verifyImage(broken, { keys })
    expect([signatures.length, refused.length]).toEqual([1, 4])
  })

  test.each(forms)('a signature for another name, unless it is accepted: %o', async form => {
    const place = await pushed()
    await signImage(place, { key, ...form, name: 'ghcr.io/other/app' })
    const error = { reasons: [expect.stringMatching(/made for another name, "ghcr.io\/other\/app"/)] }
    await expect(verifyImage(place, { keys })).rejects.toMatchObject(error)
    for (const signedName of [false, 'ghcr.io/other/app'] as const) {
      expect(await verifyImage(place, { keys, signedName })).toMatchObject({ signatures: [{}] })
    }
  })

  test('calls that name nobody whom to trust, or no root for identities', async () => {
    const place = await pushed()
    const identities = [{ identity: 'a', issuer: 'b' }]
    for (const options of [{}, { identities }, 1 as never]) {
      await expect(verifyImage(place, options)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }
    await expect(verifyImage({ store }, { keys })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('options of a signature that do not fit', async () => {
    const place = await pushed()
    for (const options of [
      { key: undefined as never },
      { key, format: 'pgp' as never },
      { key, storage: 'file' as never },
      { key, storage: 'tag' as const },
    ]) {
      await expect(signImage(place, options)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }
  })
})

test('an attestation by a trusted signer is found, and a missing one is named', async () => {
  const place = await pushed()
  await signImage(place, { key })
  const type = 'https://slsa.dev/provenance/v1'
  const wanted = { keys, attestations: [type] }
  await expect(verifyImage(place, wanted)).rejects.toMatchObject({
    code: 'ERR_SIGNATURE_MISSING',
    reasons: [`no attestation ${type} by a trusted signer`],
  })
  await attest(place.digest, type)
  expect((await verifyImage(place, wanted)).attestations).toMatchObject([{ predicateType: type, predicate: { n: 1 } }])
  await expect(verifyImage(place, { ...wanted, attestations: [type, 'urn:x'] })).rejects.toMatchObject({
    reasons: expect.arrayContaining(['no attestation urn:x by a trusted signer']),
  })
})

/** Attaches an attestation as cosign 2 keeps it: an envelope under the tag `.att`. */
async function attest(digest: Digest, predicateType: string): Promise<void> {
  const [algorithm, hex] = digest.split(':') as [string, string]
  const subject = [{ name: 'app', digest: { [algorithm]: hex } }]
  const statement = { _type: 'https://in-toto.io/Statement/v0.1', subject, predicateType, predicate: { n: 1 } }
  const payload = Buffer.from(JSON.stringify(statement))
  const type = 'application/vnd.in-toto+json'
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.byteLength} `), payload])
  const sig = Buffer.from(await key.sign(signed)).toString('base64')
  const envelope = { payloadType: type, payload: payload.toString('base64'), signatures: [{ sig }] }
  const layers = [{ mediaType: 'application/vnd.dsse.envelope.v1+json', content: JSON.stringify(envelope) }]
  const made = await composeArtifact(store, { artifactType: 'application/vnd.example', layers })
  await pushImage(store, registry, made, ref(`team/app:${algorithm}-${hex}.att`))
}
