import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MediaType, parseManifest } from '../../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { generateSigningKeys, verifyImage } from '../../../lib/trust/index.ts'

/* Signatures and attestations that cosign made; the fixture states its version and the commands. */

interface Recorded {
  readonly digest: string
  readonly publicKey: string
  /** What each command has pushed: a manifest, and its tag if it has one. */
  readonly pushed: Readonly<Record<string, { readonly manifest: string; readonly tag?: string }>>
  /** All blobs of the registry in base64. */
  readonly blobs: Readonly<Record<string, string>>
}
const text = readFileSync(join(import.meta.dirname, 'fixtures/cosign.json'), 'utf8')
const { digest, publicKey, pushed, blobs } = JSON.parse(text) as Recorded

const NAME = 'ghcr.io/team/app:1'
const TYPE = 'https://example.org/tested/v1'
const SIGNATURE = 'dev.cosignproject.cosign/signature'
const mediaType = MediaType.OciManifest
const blob = (of: string) => Buffer.from(blobs[of]!, 'base64')

/** An image, and what one command has attached to it: a manifest with one layer. */
interface Attached {
  readonly image: string
  readonly annotations: Readonly<Record<string, string>>
  readonly content: string
}

/** Stores the image and what a command has attached to it, as it was recorded or altered. */
async function put(store: Store, command: string, alter?: (recorded: Attached) => Partial<Attached>): Promise<void> {
  const { manifest: of, tag } = pushed[command]!
  const manifest = parseManifest(blob(of))
  const layer = manifest.layers[0]!
  const recorded = { image: `${blob(digest)}`, annotations: layer.annotations ?? {}, content: `${blob(layer.digest)}` }
  const { image, annotations, content } = { ...recorded, ...alter?.(recorded) }
  const subject = { mediaType, ...(await store.put(Buffer.from(image))) }
  for (const { config } of [parseManifest(blob(digest)), manifest]) await store.put(blob(config.digest))
  await store.references.set(NAME, subject)
  const layers = [{ ...layer, annotations, ...(await store.put(Buffer.from(content))) }]
  const altered = { ...manifest, layers, ...(manifest.subject ? { subject } : {}) }
  const descriptor = { mediaType, ...(await store.put(alter ? Buffer.from(JSON.stringify(altered)) : blob(of))) }
  if (tag) await store.references.set(`ghcr.io/team/app:${subject.digest.replace(':', '-')}.${tag}`, descriptor)
}

test('what cosign signed and attested, in bundles and under tags, is verified from a store', async () => {
  const store = createMemoryStore()
  for (const command of Object.keys(pushed)) await put(store, command)
  const found = await verifyImage({ store, name: NAME }, { keys: [publicKey], attestations: [TYPE] })
  expect(found).toMatchObject({ digest, refused: [], others: [] })
  expect(found.signatures.map(({ format }) => format)).toEqual(['bundle', 'simple-signing'])
  const attested = { predicateType: TYPE, predicate: { n: 1 } }
  expect(found.attestations).toMatchObject([
    { ...attested, format: 'bundle' },
    { ...attested, format: 'envelope' },
  ])
})

/** Changes the first letter of base64. */
const turned = (base64: string) => (base64.startsWith('M') ? 'N' : 'M') + base64.slice(1)
/** Changes the signature or the payload of the envelope in a bundle, or of an envelope alone. */
function inEnvelope(content: string, change: (envelope: { payload: string; signatures: { sig: string }[] }) => void) {
  const document = JSON.parse(content)
  change(document.dsseEnvelope ?? document)
  return JSON.stringify(document)
}

const alterations: Record<string, (recorded: Attached) => Partial<Attached>> = {
  'a payload with a space more': ({ annotations, content }) =>
    annotations[SIGNATURE]
      ? { content: `${content} ` }
      : {
          content: inEnvelope(content, envelope => {
            envelope.payload = Buffer.from(`${Buffer.from(envelope.payload, 'base64')} `).toString('base64')
          }),
        },
  'another signature': ({ annotations, content }) =>
    annotations[SIGNATURE]
      ? { annotations: { ...annotations, [SIGNATURE]: turned(annotations[SIGNATURE]) } }
      : {
          content: inEnvelope(content, ({ signatures: [first] }) => {
            first!.sig = turned(first!.sig)
          }),
        },
  'another image': ({ image }) => ({ image: image.replace('example.app', 'example.evil') }),
}
const cases = Object.keys(pushed).flatMap(command => Object.keys(alterations).map(name => [command, name] as const))

test.each(cases)('what cosign made by %s is refused with %s', async (command, alteration) => {
  const store = createMemoryStore()
  const isAttestation = command.startsWith('attest')
  if (isAttestation && alteration !== 'another image') await put(store, 'sign with a bundle')
  await put(store, command, alterations[alteration])
  const options = { keys: [publicKey], attestations: isAttestation ? [TYPE] : [] }
  const reason = alteration === 'another image' ? /another image, "sha256:434224/ : /no trusted key has made it/
  await expect(verifyImage({ store, name: NAME }, options)).rejects.toMatchObject({
    code: expect.stringMatching(/^ERR_SIGNATURE_(INVALID|MISSING)$/),
    reasons: expect.arrayContaining([expect.stringMatching(reason)]),
  })
})

test('what cosign signed is refused with another key', async () => {
  const store = createMemoryStore()
  for (const command of Object.keys(pushed)) await put(store, command)
  const { publicKey: other } = await generateSigningKeys()
  await expect(verifyImage({ store, name: NAME }, { keys: [other] })).rejects.toMatchObject({
    code: 'ERR_SIGNATURE_INVALID',
  })
})
