import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { attachedTag, type Descriptor, parseImageDocument } from '../../oci/index.ts'
import type { FetchedManifest } from '../../registry/index.ts'
import type { PlannedEnds } from './planned-ends.ts'

const KINDS = ['sig', 'att', 'sbom'] as const
/** Names of the layers of a manifest, by the kind of its tag. An SBOM has no signers: the copied one replaces it. */
const SIGNED: Readonly<Record<string, string>> = { sig: 'signatures', att: 'attestations' }

/** A manifest that the source has under a tag of cosign, to be copied under the same tag. */
interface AttachedTag {
  readonly tag: string
  readonly descriptor: Descriptor
}

/**
 * Resolves to what the source has under the tags of cosign for a manifest. Leaves out signatures that the target has
 * already, among others of its own.
 *
 * @throws {@link StoreError} `ERR_REFERENCE_CONFLICT` if source and target each have signatures that the other lacks.
 */
export async function attachedTags(ends: PlannedEnds, subject: Digest): Promise<readonly AttachedTag[]> {
  const { source, documents, signal } = ends
  const found = await Promise.all(
    KINDS.map(async (kind): Promise<AttachedTag | undefined> => {
      const tag = attachedTag(subject, kind)
      const attached = await source.tagged?.(tag, { signal })
      if (!attached || (await targetHoldsMore(ends, tag, attached))) return undefined
      const { mediaType, digest, size } = attached.descriptor
      documents.fetched.set(digest, attached.bytes)
      return { tag, descriptor: { mediaType, digest, size } }
    }),
  )
  return found.filter(one => one !== undefined)
}

/**
 * Resolves to true if the target has these signatures under the tag already, among others of its own.
 *
 * @throws {@link StoreError} `ERR_REFERENCE_CONFLICT` if each side has signatures that the other lacks.
 */
export async function targetHoldsMore(
  { target, signal }: Pick<PlannedEnds, 'target' | 'signal'>,
  tag: string,
  attached: FetchedManifest,
): Promise<boolean> {
  const signed = SIGNED[tag.slice(tag.lastIndexOf('.') + 1)]
  const there = signed === undefined ? undefined : await target.tagged?.(tag, { signal })
  return there !== undefined && holdsMore(there, attached, { label: target.label, what: `${signed} under ${tag}` })
}

/**
 * SAFETY: a manifest under such a tag has all signatures of an image. To replace it would remove the signatures that
 * only the target has, such as those that a pipeline added there after an earlier copy.
 */
function holdsMore(
  there: FetchedManifest,
  attached: FetchedManifest,
  { label, what }: { readonly label: string; readonly what: string },
): boolean {
  const [theirs, ours] = [layersOf(there), layersOf(attached)]
  if (theirs.every(layer => ours.includes(layer))) return false
  if (ours.every(layer => theirs.includes(layer))) return true
  const message = `${label} has ${what} that the source lacks, and lacks some that the source has`
  throw new StoreError(
    'ERR_REFERENCE_CONFLICT',
    `${message}: copy without referrers, or remove the tag at the target first`,
  )
}

/** Each layer with its annotations: cosign repeats a payload with the signature of each key in an annotation. */
function layersOf({ bytes, descriptor }: FetchedManifest): readonly string[] {
  const document = parseImageDocument(bytes, descriptor.mediaType)
  const parts = document.kind === 'manifest' ? document.manifest.layers : document.index.manifests
  return parts.map(part => Buffer.from(canonicalJson(part)).toString())
}
