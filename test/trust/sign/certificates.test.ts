import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseDigest } from '../../../lib/digest/index.ts'
import { composeArtifact } from '../../../lib/image/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { generateSigningKeys, loadSigningKey, signImage, verifyImage } from '../../../lib/trust/index.ts'
import { loadCertificateVerifier } from '../../../lib/trust/verify/load-certificate-verifier.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

/*
 * The fixtures sign the artifact of `signedImage`. `keyless.json` was made with `@sigstore/mock` 0.11: a certificate
 * authority and a transparency log of 2026-11-30. `skopeo.json` was made by skopeo 1.22 with
 * the key of `keys.test.ts`.
 */
const keyless = fixture('keyless')
const skopeo = fixture('skopeo')
const { identity, issuer, trustedRoot } = keyless
const identities = [{ identity, issuer }]
const NAME = 'ghcr.io/team/app:1'
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const SLSA = 'https://slsa.dev/provenance/v1'

function fixture(name: string) {
  return JSON.parse(readFileSync(join(import.meta.dirname, `fixtures/${name}.json`), 'utf8'))
}

async function signedImage(store: Store) {
  const { descriptor } = await composeArtifact(store, { artifactType: 'application/vnd.example.app' })
  expect(descriptor.digest).toBe(keyless.digest)
  await store.references.set(NAME, descriptor)
  return descriptor
}

/** A store with the image and bundles attached to it. */
async function withBundles(...bundles: unknown[]): Promise<{ store: Store; name: string }> {
  const store = createMemoryStore()
  const subject = await signedImage(store)
  for (const bundle of bundles) {
    const layers = [{ mediaType: BUNDLE, content: JSON.stringify(bundle) }]
    await composeArtifact(store, { artifactType: BUNDLE, layers, subject })
  }
  return { store, name: NAME }
}

/** A store with the image and a signature or attestation under a tag, as cosign 2 keeps it. */
async function withTag(suffix: string, mediaType: string, content: string, annotations: Record<string, string>) {
  const store = createMemoryStore()
  const { digest } = await signedImage(store)
  const made = await composeArtifact(store, { artifactType: 'x/y', layers: [{ mediaType, content, annotations }] })
  await store.references.set(`ghcr.io/team/app:${digest.replace(':', '-')}.${suffix}`, made.descriptor)
  return { store, name: NAME }
}

test('a bundle with a certificate is verified with a trusted root, offline', async () => {
  const place = await withBundles(keyless.bundle)
  const by = { kind: 'certificate', identity, issuer }
  expect(await verifyImage(place, { identities, trustedRoot })).toMatchObject({
    signatures: [{ by, format: 'bundle' }],
  })
  const patterns = [{ identity: /https:\/\/github\.com\/team\/.*/, issuer: /https:.*/ }]
  expect(await verifyImage(place, { identities: patterns, trustedRoot })).toMatchObject({ signatures: [{ by }] })
})

test('identities that only resemble the signer are refused', async () => {
  const place = await withBundles(keyless.bundle)
  for (const other of [
    { identity: `${identity}x`, issuer },
    { identity: identity.slice(1), issuer },
    { identity: /github\.com\/team/, issuer },
    { identity, issuer: 'https://accounts.google.com' },
    { identity, issuer: /token/g },
  ]) {
    await expect(verifyImage(place, { identities: [other], trustedRoot })).rejects.toMatchObject({
      code: 'ERR_SIGNATURE_INVALID',
      reasons: [expect.stringMatching(/is not trusted$/)],
    })
  }
})

test('altered bundles, and roots that lack a log or an authority, are refused', async () => {
  const { bundle } = keyless
  const [entry] = bundle.verificationMaterial.tlogEntries
  const material = (change: object) => ({
    ...bundle,
    verificationMaterial: { ...bundle.verificationMaterial, ...change },
  })
  const [flipped, foreign] = [Buffer.from(bundle.dsseEnvelope.payload, 'base64'), fixture('keyless').trustedRoot]
  flipped[10]! ^= 1
  const cases: [unknown, unknown][] = [
    [material({ tlogEntries: [] }), trustedRoot],
    [material({ tlogEntries: [{ ...entry, integratedTime: '1' }] }), trustedRoot],
    [material({ certificate: { rawBytes: 'AAAA' } }), trustedRoot],
    [{ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload: flipped.toString('base64') } }, trustedRoot],
    [{ ...bundle, dsseEnvelope: keyless.provenance.dsseEnvelope }, trustedRoot],
    [bundle, { ...foreign, tlogs: foreign.ctlogs }],
    [bundle, { ...foreign, ctlogs: foreign.tlogs }],
  ]
  for (const [changed, root] of cases) {
    const error = { code: 'ERR_SIGNATURE_INVALID', reasons: [expect.stringMatching(/not valid/)] }
    await expect(verifyImage(await withBundles(changed), { identities, trustedRoot: root })).rejects.toMatchObject(
      error,
    )
  }
})

test('a signature of cosign 2 with a certificate in its annotations is verified', async () => {
  const { payload, annotations } = keyless.simple
  const type = 'application/vnd.dev.cosign.simplesigning.v1+json'
  const place = await withTag('sig', type, payload, annotations)
  const found = await verifyImage(place, { identities, trustedRoot })
  expect(found.signatures).toMatchObject([{ by: { identity }, format: 'simple-signing' }])
  for (const change of [
    { 'dev.sigstore.cosign/bundle': '{}' },
    { 'dev.sigstore.cosign/bundle': undefined },
    { 'dev.sigstore.cosign/certificate': 'x' },
  ]) {
    const changed = JSON.parse(JSON.stringify({ ...annotations, ...change }))
    const altered = await withTag('sig', type, payload, changed)
    await expect(verifyImage(altered, { identities, trustedRoot })).rejects.toMatchObject({
      code: 'ERR_SIGNATURE_INVALID',
    })
  }
})

test('attestations with a certificate are verified, of cosign 2 and in bundles', async () => {
  const wanted = { identities, trustedRoot, attestations: [SLSA] }
  const bundled = await withBundles(keyless.bundle, keyless.provenance)
  expect((await verifyImage(bundled, wanted)).attestations).toMatchObject([{ predicateType: SLSA, format: 'bundle' }])
  const { envelope, annotations } = keyless.attested
  const type = 'application/vnd.dsse.envelope.v1+json'
  const tagged = await withTag('att', type, JSON.stringify(envelope), annotations)
  const subject = (await tagged.store.references.get(NAME))!
  const layers = [{ mediaType: BUNDLE, content: JSON.stringify(keyless.bundle) }]
  await composeArtifact(tagged.store, { artifactType: BUNDLE, layers, subject })
  expect((await verifyImage(tagged, wanted)).attestations).toMatchObject([{ predicateType: SLSA, format: 'envelope' }])
  const onlyAttested = await withBundles(keyless.provenance)
  await expect(verifyImage(onlyAttested, wanted)).rejects.toMatchObject({
    code: 'ERR_SIGNATURE_MISSING',
    reasons: ['there are attestations, but no signature'],
  })
})

test('keys do not verify certificates, and identities do not verify keys', async () => {
  const { privateKey, publicKey } = await generateSigningKeys()
  const error = (text: RegExp) => ({ code: 'ERR_SIGNATURE_INVALID', reasons: [expect.stringMatching(text)] })
  const place = await withBundles(keyless.bundle)
  await expect(verifyImage(place, { keys: [publicKey] })).rejects.toMatchObject(error(/no identity is trusted/))
  const own = await withBundles()
  await signImage(own, { key: await loadSigningKey(privateKey) })
  await expect(verifyImage(own, { identities, trustedRoot })).rejects.toMatchObject(error(/no key is trusted/))
})

test('a signature that skopeo made is verified', async () => {
  const [layer] = skopeo.manifest.layers
  const place = await withTag('sig', layer.mediaType, skopeo.payload, layer.annotations)
  const key = readFileSync(join(import.meta.dirname, 'keys.test.ts'), 'utf8').match(/-----BEGIN PUB[^`]*/)![0]
  expect(await verifyImage(place, { keys: [key], signedName: NAME })).toMatchObject({
    signatures: [{ format: 'simple-signing' }],
  })
})

test('a bundle that was made here is verified by @sigstore/verify', async () => {
  const { privateKey, publicKey } = await generateSigningKeys()
  const place = await withBundles()
  const { signatures } = await signImage(place, { key: await loadSigningKey(privateKey) })
  const read = async (digest: string) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of place.store.read(parseDigest(digest))) chunks.push(chunk)
    return JSON.parse(Buffer.concat(chunks).toString())
  }
  const document = await read((await read(signatures[0]!.digest)).layers[0].digest)
  const load = createRequire(import.meta.url)
  const { bundleFromJSON } = load('@sigstore/bundle')
  const { Verifier, toSignedEntity, toTrustMaterial } = load('@sigstore/verify')
  const raw = Buffer.from(publicKey.split('\n').slice(1, -2).join(''), 'base64')
  const empty = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }
  const { hint } = document.verificationMaterial.publicKey
  const material = toTrustMaterial(empty, { [hint]: { rawBytes: raw } })
  const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 })
  verifier.verify(toSignedEntity(bundleFromJSON(document)))
  document.dsseEnvelope.payload = Buffer.from('{}').toString('base64')
  expect(() => verifier.verify(toSignedEntity(bundleFromJSON(document)))).toThrow(/signature verification failed/)
})

test('without the optional packages an error names them, and a malformed root is refused', async () => {
  using directory = temporaryDirectory('no-packages')
  const absent = await thrownBy(() => loadCertificateVerifier(trustedRoot, join(directory.path, 'file.js')))
  expect(absent).toMatchObject({
    code: 'ERR_TRUST_PACKAGE',
    message: expect.stringMatching(/@sigstore\/verify @sigstore\/bundle/),
  })
  for (const root of [{}, 'x', { ...trustedRoot, tlogs: [{ publicKey: { rawBytes: 'AAAA' } }] }]) {
    expect(await thrownBy(() => loadCertificateVerifier(root))).toMatchObject({ code: 'ERR_INVALID_POLICY' })
  }
})
