import { expect, test } from 'vitest'
import { TrustError } from '../../../lib/errors/index.ts'
import { composeArtifact } from '../../../lib/image/index.ts'
import { canonicalJson } from '../../../lib/internal/canonical-json.ts'
import { type Descriptor, type ImageManifest, parseManifest } from '../../../lib/oci/index.ts'
import { createMemoryStore, readDocument, type Store } from '../../../lib/store/index.ts'
import { generateSigningKeys, loadSigningKey, signImage, verifyImage } from '../../../lib/trust/index.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

/*
 * Each altered copy is a store with an image and one signature that was changed: one bit, one member, one name, or a
 * signature of something else. The unaltered copy is verified first, so that no copy is refused for another reason.
 */
const pair = await generateSigningKeys()
const key = await loadSigningKey(pair.privateKey)
const stranger = await loadSigningKey((await generateSigningKeys({ algorithm: 'ed25519' })).privateKey)
const keys = [pair.publicKey]
const NAME = 'ghcr.io/team/app:1'
const SIGNATURE = 'dev.cosignproject.cosign/signature'
const INLINE = 'layerstore.signature.bundle'

/** Form of a signature. */
type Form = 'bundle' | 'inline' | 'tag' | 'referrer'

interface Copy {
  readonly store: Store
  readonly subject: Descriptor
  readonly manifest: ImageManifest
  readonly payload: Uint8Array
}

/** Puts something with a name into a store; making an image would take longer, and is verified alike. */
async function named(store: Store, content = 'one'): Promise<Descriptor> {
  const { descriptor } = await composeArtifact(store, {
    artifactType: 'application/vnd.example',
    layers: [{ content }],
  })
  await store.references.set(NAME, descriptor)
  return descriptor
}

/** Signs an image, and returns its parts. `inline` is the bundle in the annotations, `bundle` that of the blob. */
async function signedCopy(form: Form): Promise<Copy> {
  const store = createMemoryStore()
  const subject = await named(store)
  const kind = form === 'tag' || form === 'referrer' ? ({ format: 'simple-signing', storage: form } as const) : {}
  const { signatures } = await signImage({ store, name: NAME }, { key, ...kind })
  const { digest } = signatures[0]!
  const bytes = await readDocument(store, { mediaType: '', ...(await store.stat(digest))! })
  const manifest = parseManifest(bytes)
  const payload = await readDocument(store, manifest.layers[0]!)
  return { store, subject, manifest, payload }
}

/** Verifies a copy whose signature is the given one alone. */
async function verifyWith(form: Form, copy: Copy, manifest: ImageManifest, payload: Uint8Array): Promise<unknown> {
  const store = createMemoryStore()
  await named(store)
  await store.put(await readDocument(copy.store, manifest.config))
  const info = await store.put(payload)
  const [layer] = manifest.layers
  const annotations = { ...manifest.annotations }
  if (form === 'bundle') delete annotations[INLINE]
  if (form === 'inline' && annotations[INLINE]) annotations[INLINE] = Buffer.from(payload).toString()
  const changed = { ...manifest, annotations, layers: [{ ...layer!, ...info }] }
  const put = await store.put(canonicalJson(changed))
  const descriptor = { mediaType: manifest.mediaType!, ...put }
  if (form === 'tag') await store.references.set(tagOf(copy.subject), descriptor)
  return verifyImage({ store, name: NAME }, { keys })
}

function tagOf({ digest }: Descriptor): string {
  return `ghcr.io/team/app:${digest.replace(':', '-')}.sig`
}

async function refused(verifying: Promise<unknown>): Promise<void> {
  const error = await thrownBy(() => verifying)
  expect(error).toBeInstanceOf(TrustError)
  expect(['ERR_SIGNATURE_INVALID', 'ERR_SIGNATURE_MISSING']).toContain(error.code)
}

/** Every n-th byte with one bit changed. */
function* flipped(bytes: Uint8Array, count: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    const altered = Uint8Array.from(bytes)
    altered[Math.floor((i * bytes.byteLength) / count)]! ^= 1 << (i % 7)
    yield altered
  }
}

let copies = 0

test.each<Form>(['bundle', 'inline', 'tag', 'referrer'])(
  'payloads with one changed bit are refused: %s',
  async form => {
    const copy = await signedCopy(form)
    expect(await verifyWith(form, copy, copy.manifest, copy.payload)).toMatchObject({ signatures: [{}] })
    for (const payload of flipped(copy.payload, 40)) {
      // The hint of a key and the order of members are not signed.
      if (form !== 'tag' && form !== 'referrer' && isSameEnvelope(payload, copy.payload)) continue
      await refused(verifyWith(form, copy, copy.manifest, payload))
      copies++
    }
  },
)

function isSameEnvelope(a: Uint8Array, b: Uint8Array): boolean {
  const envelopeOf = (bytes: Uint8Array) => {
    try {
      return JSON.stringify((JSON.parse(Buffer.from(bytes).toString()) as { dsseEnvelope: unknown }).dsseEnvelope)
    } catch {
      return undefined
    }
  }
  return envelopeOf(a) === envelopeOf(b)
}

test.each<Form>(['tag', 'referrer'])('signatures with one changed bit are refused: %s', async form => {
  const copy = await signedCopy(form)
  const [layer] = copy.manifest.layers
  const signature = Buffer.from(layer!.annotations![SIGNATURE]!, 'base64')
  const texts = [...flipped(signature, 30)].map(bytes => Buffer.from(bytes).toString('base64'))
  const others = ['', 'AAAA', `${layer!.annotations![SIGNATURE]} `, `${signature.toString('base64')}AAAA`, undefined]
  for (const text of [...texts, ...others]) {
    const annotations = text === undefined ? { other: 'x' } : { [SIGNATURE]: text }
    await refused(verifyWith(form, copy, { ...copy.manifest, layers: [{ ...layer!, annotations }] }, copy.payload))
    copies++
  }
})

test.each<Form>(['bundle', 'tag', 'referrer'])('other media types are refused: %s', async form => {
  const copy = await signedCopy(form)
  const [layer] = copy.manifest.layers
  for (const mediaType of [
    'application/json',
    'application/vnd.dev.cosign.simplesigning.v2+json',
    'application/vnd.dev.sigstore.bundle.v0.4+json',
    form === 'bundle' ? 'application/vnd.dev.cosign.simplesigning.v1+json' : 'application/vnd.dsse.envelope.v1+json',
    'application/vnd.oci.image.layer.v1.tar',
  ]) {
    await refused(verifyWith(form, copy, { ...copy.manifest, layers: [{ ...layer!, mediaType }] }, copy.payload))
    copies++
  }
})

test('bundles whose members were changed are refused', async () => {
  const copy = await signedCopy('bundle')
  const document = JSON.parse(Buffer.from(copy.payload).toString())
  const envelope = document.dsseEnvelope
  const [signature] = envelope.signatures
  const statement = (change: object) => ({
    ...envelope,
    payload: Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(envelope.payload, 'base64').toString()), ...change }),
    ).toString('base64'),
  })
  const changes: object[] = [
    { mediaType: 'application/vnd.dev.sigstore.bundle.v0.4+json' },
    { mediaType: undefined },
    { verificationMaterial: {} },
    { verificationMaterial: undefined },
    { verificationMaterial: { publicKey: { hint: 'x' }, certificate: { rawBytes: 'AAAA' } } },
    { verificationMaterial: { certificate: { rawBytes: 'AAAA' }, tlogEntries: [] } },
    { dsseEnvelope: undefined },
    { dsseEnvelope: null },
    { dsseEnvelope: [] },
    { messageSignature: {} },
    { dsseEnvelope: { ...envelope, payloadType: 'text/plain' } },
    { dsseEnvelope: { ...envelope, payloadType: 1 } },
    { dsseEnvelope: { ...envelope, payload: '' } },
    { dsseEnvelope: { ...envelope, payload: `${envelope.payload}=` } },
    { dsseEnvelope: { ...envelope, signatures: [] } },
    { dsseEnvelope: { ...envelope, signatures: [signature, signature] } },
    { dsseEnvelope: { ...envelope, signatures: [{ sig: '?' }] } },
    { dsseEnvelope: { ...envelope, signatures: {} } },
    { dsseEnvelope: statement({ subject: [{ digest: { sha256: '0'.repeat(64) } }] }) },
    { dsseEnvelope: statement({ predicateType: 'urn:x' }) },
  ]
  for (const change of changes) {
    await refused(verifyWith('bundle', copy, copy.manifest, Buffer.from(JSON.stringify({ ...document, ...change }))))
    copies++
  }
})

/** Payloads that the trusted key did sign, but that are no signature of this image under this name. */
test('signed payloads that say something else are refused', async () => {
  const copy = await signedCopy('tag')
  const { digest } = copy.subject
  const [layer] = copy.manifest.layers
  const critical = {
    identity: { 'docker-reference': 'ghcr.io/team/app' },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  }
  const zero = `sha256:${'0'.repeat(64)}`
  const payloads: unknown[] = [
    { critical: { ...critical, image: { 'docker-manifest-digest': zero } }, optional: null },
    { critical: { ...critical, image: { 'docker-manifest-digest': digest.toUpperCase() } }, optional: null },
    { critical: { ...critical, image: { 'docker-manifest-digest': [digest] } }, optional: null },
    { critical: { ...critical, image: {} }, optional: null },
    { critical: { ...critical, identity: {} }, optional: null },
    { critical: { ...critical, identity: { 'docker-reference': 'ghcr.io/team/other' } }, optional: null },
    { critical: { ...critical, identity: { 'docker-reference': 'ghcr.io/team/app/sub' } }, optional: null },
    { critical: { ...critical, identity: { 'docker-reference': 'quay.io/team/app' } }, optional: null },
    { critical: { ...critical, identity: { 'docker-reference': '' } }, optional: null },
    { critical: { ...critical, type: 'atomic container signature' }, optional: null },
    { critical: { ...critical, type: undefined }, optional: null },
    { critical: { ...critical, more: 1 }, optional: null },
    { critical: [critical] },
    { optional: critical },
    [],
    'text',
    null,
  ]
  const verify = async (payload: Uint8Array) => {
    const annotations = { [SIGNATURE]: Buffer.from(await key.sign(payload)).toString('base64') }
    return verifyWith('tag', copy, { ...copy.manifest, layers: [{ ...layer!, annotations }] }, payload)
  }
  expect(await verify(Buffer.from(JSON.stringify({ critical })))).toMatchObject({ signatures: [{}] })
  const texts = payloads.map(payload => Buffer.from(JSON.stringify(payload)))
  const twice = `{"critical":{"type":"x"},${JSON.stringify({ critical }).slice(1)}`
  for (const payload of [...texts, Buffer.from('no json'), Buffer.from(twice)]) {
    await refused(verify(payload))
    copies++
  }
})

test('signed statements that say something else are refused', async () => {
  const copy = await signedCopy('bundle')
  const document = JSON.parse(Buffer.from(copy.payload).toString())
  const good = JSON.parse(Buffer.from(document.dsseEnvelope.payload, 'base64').toString())
  const [subject] = good.subject
  const statements: unknown[] = [
    { ...good, _type: 'https://in-toto.io/Statement/v2' },
    { ...good, predicateType: undefined },
    { ...good, predicateType: 'https://slsa.dev/provenance/v1' },
    { ...good, subject: undefined },
    { ...good, subject: [] },
    { ...good, subject: [null, 'x', { digest: 'x' }] },
    { ...good, subject: Array.from({ length: 1025 }, () => subject) },
    { ...good, subject: [{ ...subject, digest: { sha256: '0'.repeat(64) } }] },
    { ...good, subject: [{ ...subject, digest: { sha512: subject.digest.sha256 } }] },
    { ...good, subject: [{ ...subject, name: 'ghcr.io/team/other' }] },
    null,
    1,
  ]
  const verify = async (payload: Buffer) => {
    const type = 'application/vnd.in-toto+json'
    const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.byteLength} `), payload])
    const sig = Buffer.from(await key.sign(signed)).toString('base64')
    const dsseEnvelope = { payloadType: type, payload: payload.toString('base64'), signatures: [{ sig }] }
    return verifyWith('bundle', copy, copy.manifest, Buffer.from(JSON.stringify({ ...document, dsseEnvelope })))
  }
  expect(await verify(Buffer.from(JSON.stringify(good)))).toMatchObject({ signatures: [{}] })
  for (const payload of [...statements.map(one => Buffer.from(JSON.stringify(one))), Buffer.from('no json')]) {
    await refused(verify(payload))
    copies++
  }
})

test('signatures of another image, moved to this one, are refused', async () => {
  for (const form of ['bundle', 'inline', 'tag', 'referrer'] as const) {
    const store = createMemoryStore()
    const subject = await named(store, 'evil')
    const copy = await signedCopy(form)
    const [layer] = copy.manifest.layers
    const content = copy.payload
    const layers = [{ mediaType: layer!.mediaType, content, annotations: layer!.annotations }]
    const { artifactType = 'application/vnd.example', annotations = {} } = copy.manifest
    const made = await composeArtifact(store, { artifactType, layers, subject, annotations })
    if (form === 'tag') await store.references.set(tagOf(subject), made.descriptor)
    await refused(verifyImage({ store, name: NAME }, { keys }))
    copies++
  }
})

test('a signature by a key that is not trusted is refused in every form', async () => {
  for (const kind of [{}, { format: 'simple-signing' }, { format: 'simple-signing', storage: 'referrer' }] as const) {
    const store = createMemoryStore()
    await named(store)
    await signImage({ store, name: NAME }, { key: stranger, ...kind })
    await refused(verifyImage({ store, name: NAME }, { keys }))
    copies++
  }
})

test('at least 200 altered copies were refused', () => {
  expect(copies).toBeGreaterThanOrEqual(200)
})
