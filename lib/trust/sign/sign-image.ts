import type { Digest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { assertOptions } from '../../internal/assert-kind.ts'
import { attachedTag, type Descriptor, isIndexType, parseImageDocument } from '../../oci/index.ts'
import { createMemoryStore } from '../../store/index.ts'
import { pushImage, type RegistryLocation, type StoreLocation, type TransferSource } from '../../transfer/index.ts'
import { composeBundle } from './compose-bundle.ts'
import { addToTag, composeSimpleReferrer, simpleLayer } from './compose-simple.ts'
import { formatRepository, openPlace, repositoryOf } from './image-place.ts'
import type { SigningKey } from './keys/signing-key.ts'

/** Options of {@link signImage}. */
export interface SignImageOptions extends AbortOptions {
  /** Key that signs. */
  readonly key: SigningKey
  /**
   * Form of the signature: `bundle`, a sigstore bundle as cosign 3 writes it; `simple-signing`, the payload
   * that cosign 1 and 2, skopeo and podman read. @defaultValue `'bundle'`
   */
  readonly format?: 'bundle' | 'simple-signing' | undefined
  /**
   * Place of the signature: a referrer of the image, or the tag `sha256-<hex>.sig`. cosign 1 and 2,
   * skopeo and podman look at the tag only; a bundle is always a referrer.
   * @defaultValue `'referrer'` for a bundle, `'tag'` for simple signing
   */
  readonly storage?: 'referrer' | 'tag' | undefined
  /** Name that is signed. @defaultValue the repository, without tag, as cosign writes it */
  readonly name?: string | undefined
  /** Claims that are signed too. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** For an index: sign each image in it as well, for programs that pull one platform by its digest. */
  readonly recursive?: boolean | undefined
}

/** Result of {@link signImage}. */
export interface SignedImage {
  /** Digest of the signed manifest or index. */
  readonly digest: Digest
  /** Name that was signed. */
  readonly name: string
  /** The signatures: one, or with `recursive` one for each image of the index too. */
  readonly signatures: readonly SignatureLocation[]
}

/** A signature and where it is. */
export interface SignatureLocation {
  /** The signed manifest or index. */
  readonly subject: Digest
  /** Digest of the manifest that holds it. */
  readonly digest: Digest
  /** Tag that it is kept under, if it is no referrer. */
  readonly tag?: string
}

interface Signing {
  readonly source: TransferSource
  readonly place: RegistryLocation | StoreLocation
  readonly name: string
  readonly options: SignImageOptions
}

/**
 * Signs an image in a registry or in a store with a key, as `cosign sign --key` does without a transparency log. The
 * image does not change. Another signature is added to those that there are.
 *
 * @example
 * ```ts
 * const key = await loadSigningKey(await readFile('cosign.key', 'utf8'), { password: process.env.COSIGN_PASSWORD })
 * await signImage({ registry, reference: 'ghcr.io/team/app:1.0' }, { key })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`; the errors of the registry and of the store.
 */
export async function signImage(
  place: RegistryLocation | StoreLocation,
  options: SignImageOptions,
): Promise<SignedImage> {
  assertOptions(options)
  checkOptions(options)
  const { signal, recursive } = options
  const source = openPlace(place)
  const root = await source.fetchRoot({ signal })
  const name = options.name ?? nameOf(source)
  const below = recursive && isIndexType(root.descriptor.mediaType) ? imagesIn(root.bytes) : []
  const signing: Signing = { source, place, name, options }
  const signatures: SignatureLocation[] = []
  for (const subject of [root.descriptor, ...below]) signatures.push(await signOne(signing, subject))
  return { digest: root.descriptor.digest, name, signatures }
}

function checkOptions({ key, format = 'bundle', storage }: SignImageOptions): void {
  if (typeof key?.sign !== 'function')
    throw new FormatError('ERR_INVALID_ARGUMENT', 'key must be one of loadSigningKey')
  if (format !== 'bundle' && format !== 'simple-signing')
    throw new FormatError('ERR_INVALID_ARGUMENT', 'format must be bundle or simple-signing')
  if (storage !== undefined && storage !== 'referrer' && storage !== 'tag')
    throw new FormatError('ERR_INVALID_ARGUMENT', 'storage must be referrer or tag')
  if (format === 'bundle' && storage === 'tag')
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a bundle is kept as a referrer: use simple-signing for a tag')
}

function nameOf(source: TransferSource): string {
  const repository = repositoryOf(source)
  if (repository) return formatRepository(repository)
  throw new FormatError('ERR_INVALID_ARGUMENT', `${source.label} has no repository: set the name that is signed`)
}

/** The images of an index; BuildKit's attestations in it are none. */
function imagesIn(bytes: Uint8Array): readonly Descriptor[] {
  const document = parseImageDocument(bytes)
  if (document.kind !== 'index') return []
  return document.index.manifests.filter(({ annotations }) => annotations?.['vnd.docker.reference.type'] === undefined)
}

async function signOne(signing: Signing, subject: Descriptor): Promise<SignatureLocation> {
  const { source, place, name, options } = signing
  const { key, annotations, format = 'bundle', signal } = options
  const storage = options.storage ?? (format === 'bundle' ? 'referrer' : 'tag')
  const tag = attachedTag(subject.digest, 'sig')
  const what = { digest: subject.digest, name }
  const own = 'store' in place ? place.store : undefined
  const store = own ?? createMemoryStore()
  await using _lease = await store.leases.hold({ label: 'sign an image', signal })
  if (format === 'bundle') {
    const digest = await composeBundle(store, subject, { key, what, annotations, signal })
    await keep(signing, store, digest)
    return { subject: subject.digest, digest: digest.digest }
  }
  const layer = await simpleLayer(store, { key, what, annotations, signal })
  if (storage === 'referrer') {
    const manifest = await composeSimpleReferrer(store, subject, layer, { signal })
    await keep(signing, store, manifest)
    return { subject: subject.digest, digest: manifest.digest }
  }
  const manifest = await addToTag(store, await source.tagged?.(tag, { signal }), layer, { source, signal })
  await keep(signing, store, manifest, tag)
  return { subject: subject.digest, digest: manifest.digest, tag }
}

/** Pushes a signature to the repository of the image; in a store, only a tag has to be set. */
async function keep(
  { place, source, options: { signal } }: Signing,
  store: Parameters<typeof pushImage>[0],
  descriptor: Descriptor,
  tag?: string,
): Promise<void> {
  const repository = repositoryOf(source)
  if ('registry' in place) {
    const target = { ...repository!, ...(tag === undefined ? { digest: descriptor.digest } : { tag }) }
    await pushImage(store, place.registry, { descriptor }, target, { signal })
  } else if (tag !== undefined) {
    const name = repository ? `${formatRepository(repository)}:${tag}` : tag
    await store.references.set(name, descriptor, { signal, ...(place.verbatim ? { verbatim: true } : {}) })
  }
}
