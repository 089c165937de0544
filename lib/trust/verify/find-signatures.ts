import type { Digest } from '../../digest/index.ts'
import { LimitError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { attachedTag, type Descriptor, MediaType, parseImageDocument } from '../../oci/index.ts'
import type { TransferSource } from '../../transfer/index.ts'
import { SIGN_PREDICATE, SignatureAnnotation, SignatureType } from '../sign/formats/media-types.ts'
import { readSmall } from '../sign/read-small.ts'

/** Something attached to an image that may sign it. */
export interface Candidate {
  /** Form of the content; `other` cannot be verified here. */
  readonly kind: 'simple-signing' | 'bundle' | 'envelope' | 'other'
  /** Digest of the manifest that holds it, or its tag. */
  readonly at: string
  /** Media type of the content. */
  readonly type: string
  /** Annotations of the layer. They are not signed. */
  readonly annotations: Readonly<Record<string, string>>
  /** Reads the content. */
  read(): Promise<Uint8Array>
}

/** Options of {@link findSignatures}. */
export interface FindSignaturesOptions extends AbortOptions {
  /** Predicate types that are wanted besides signatures; bundles that state another type are not read. */
  readonly attestations?: readonly string[] | undefined
}

/** SAFETY: every user with push rights can attach referrers; without a limit each would cost requests. */
const MOST = 1000

/**
 * Yields what may sign an image, the cheapest first: referrers, then the tag `sha256-<hex>.sig`, then, if attestations
 * are wanted, `sha256-<hex>.att`. A loop that ends early saves the later requests.
 *
 * @throws {@link LimitError} after 1,000 referrers.
 */
export async function* findSignatures(
  source: TransferSource,
  subject: Digest,
  options: FindSignaturesOptions,
): AsyncGenerator<Candidate, void, undefined> {
  const { attestations = [], signal } = options
  let seen = 0
  for await (const referrer of source.referrers?.(subject, { signal }) ?? []) {
    if (++seen > MOST) throw new LimitError('referrers', { limit: MOST, actual: seen, where: subject })
    try {
      yield* inReferrer(source, referrer, [SIGN_PREDICATE, ...attestations], { signal })
    } catch (error) {
      signal?.throwIfAborted()
      yield unreadable(referrer, error)
    }
  }
  for (const kind of attestations.length > 0 ? (['sig', 'att'] as const) : (['sig'] as const)) {
    const tag = attachedTag(subject, kind)
    const found = await source.tagged?.(tag, { signal })
    if (found) yield* inLayers(source, found.bytes, found.descriptor, tag, { signal })
  }
}

/** SAFETY: an error that ended the search would let one broken referrer hide the signatures after it. */
function unreadable({ digest, mediaType, annotations = {} }: Descriptor, error: unknown): Candidate {
  const read = async () => {
    throw error
  }
  return { kind: 'bundle', at: digest, type: mediaType, annotations, read }
}

const SIGNATURES: readonly string[] = [SignatureType.Bundle, SignatureType.SimpleSigningArtifact]
/** SPEC: some lists state the type of the config in place of that of the artifact (cosign issue 4422). */
const UNKNOWN: readonly (string | undefined)[] = [undefined, MediaType.OciEmpty, MediaType.OciConfig]

async function* inReferrer(
  source: TransferSource,
  referrer: Descriptor,
  predicates: readonly string[],
  options: AbortOptions,
): AsyncGenerator<Candidate, void, undefined> {
  const { artifactType, annotations = {}, digest } = referrer
  if (artifactType === SignatureType.Notation) {
    yield { kind: 'other', at: digest, type: artifactType, annotations, read: async () => new Uint8Array() }
    return
  }
  const predicate = annotations[SignatureAnnotation.BundlePredicate]
  if (predicate !== undefined && !predicates.includes(predicate)) return
  if (!UNKNOWN.includes(artifactType) && !SIGNATURES.includes(artifactType!)) return
  const inline = annotations[SignatureAnnotation.InlineBundle]
  if (inline !== undefined && artifactType === SignatureType.Bundle) {
    yield { kind: 'bundle', at: digest, type: artifactType, annotations, read: async () => Buffer.from(inline) }
    return
  }
  const { artifactType: _, annotations: __, ...plain } = referrer
  yield* inLayers(source, await source.readDocument(plain, options), plain, digest, options)
}

const KINDS: Readonly<Record<string, Candidate['kind']>> = {
  [SignatureType.SimpleSigning]: 'simple-signing',
  [SignatureType.Bundle]: 'bundle',
  [SignatureType.Dsse]: 'envelope',
}

async function* inLayers(
  source: TransferSource,
  bytes: Uint8Array,
  { mediaType }: Descriptor,
  at: string,
  options: AbortOptions,
): AsyncGenerator<Candidate, void, undefined> {
  const document = parseImageDocument(bytes, mediaType)
  if (document.kind === 'index') return
  for (const layer of document.manifest.layers.slice(0, MOST)) {
    const { mediaType: type, annotations = {} } = layer
    const kind = Object.hasOwn(KINDS, type) ? KINDS[type]! : 'other'
    if (kind === 'other' && type === MediaType.OciEmpty) continue
    yield { kind, at, type, annotations, read: () => readSmall(source, layer, options) }
  }
}
