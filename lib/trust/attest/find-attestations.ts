import { type Digest, verifyBytes } from '../../digest/index.ts'
import { RegistryError } from '../../errors/index.ts'
import { findDescriptor, type NamedBlobs } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import {
  attachedTag,
  type Descriptor,
  type ImageManifest,
  parseImageDocument,
  parseReference,
} from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { readDocument } from '../../store/index.ts'
import { PREDICATE_ANNOTATION, REFERENCE_DIGEST, REFERENCE_TYPE, STATEMENT_TYPE } from './attestation-manifest.ts'

/** Most bytes of an SBOM or a statement. */
const MOST = 128 * 1024 * 1024
/** Most entries that are read of each list. */
const MOST_ENTRIES = 100

/** An SBOM or an attestation about an image. It was found and not verified. */
export interface FoundAttestation {
  /** Place: the index of the image, the referrers of its manifest, or a tag as cosign makes it. */
  readonly place: 'index' | 'referrer' | 'tag'
  /** The manifest or index that it is about. */
  readonly subject: Digest
  /** Platform of the image that it is about, if the index says so. */
  readonly platform?: Descriptor['platform']
  /** Descriptor of the manifest that lists it. */
  readonly manifest: Descriptor
  /** Descriptor of the document itself. */
  readonly descriptor: Descriptor
  /** Predicate type of a statement; else the media type of the document. */
  readonly type: string
  /**
   * Reads the document, as it is stored, with its digest verified. In a DSSE envelope it is in `payload`.
   *
   * @throws {@link LimitError} for more than 128 MiB.
   */
  read(options?: AbortOptions): Promise<Uint8Array>
}

/** Options of {@link findAttestations}. */
export interface FindAttestationsOptions extends AbortOptions {
  /** Registry that is asked for referrers and for tags of cosign; without it only the index is read. */
  readonly registry?: RegistryClient | undefined
}

/** An image of an index, or the index itself. */
interface Subject {
  readonly digest: Digest
  readonly platform?: Descriptor['platform']
}

/** Signatures are referrers too, and are no documents about the image. */
const DOCUMENT = /in-toto|spdx|cyclonedx|syft|dsse|attestation|sbom|vnd\.dev\.sigstore\.bundle/

/**
 * Finds SBOMs and attestations about an image, and about the images of an index: those of BuildKit in the index, those
 * that registries list as referrers, and those under the tags of cosign. Finding is not verifying.
 *
 * @param name - Name in `blobs`; with `registry` also the reference there.
 *
 * @example
 * ```ts
 * for (const { type, read } of await findAttestations(store, 'app:1.0')) console.log(type, (await read()).length)
 * ```
 *
 * @throws the errors of the store and the registry, and those of malformed documents.
 */
export async function findAttestations(
  blobs: NamedBlobs,
  name: string,
  { registry, signal }: FindAttestationsOptions = {},
): Promise<FoundAttestation[]> {
  const root = await findDescriptor(blobs, name, { signal })
  const document = parseImageDocument(await readDocument(blobs, root, { signal }), root.mediaType)
  const entries = document.kind === 'index' ? document.index.manifests : []
  const attested = entries.filter(entry => entry.annotations?.[REFERENCE_TYPE] === 'attestation-manifest')
  const images = entries.filter(entry => !attested.includes(entry)).slice(0, MOST_ENTRIES)
  const subjects: Subject[] = [{ digest: root.digest as Digest }, ...(images as Subject[])]
  const found: FoundAttestation[] = []
  for (const manifest of attested.slice(0, MOST_ENTRIES)) {
    const of = manifest.annotations?.[REFERENCE_DIGEST]
    const subject = subjects.find(({ digest }) => digest === of)
    if (!subject) continue
    const parsed = parseImageDocument(await readDocument(blobs, manifest, { signal }), manifest.mediaType)
    if (parsed.kind !== 'manifest') continue
    const read =
      (layer: Descriptor) =>
      (options: AbortOptions = {}) =>
        collectBytes(blobs.read(layer.digest as Digest, { ...options, verify: 'always' }), MOST, layer.digest)
    found.push(...documentsOf('index', subject, manifest, parsed.manifest, read))
  }
  if (registry) {
    const known = new Set(found.map(({ manifest }) => manifest.digest))
    for (const subject of subjects) found.push(...(await findRemote(registry, name, subject, known, signal)))
  }
  return found
}

async function findRemote(
  registry: RegistryClient,
  name: string,
  subject: Subject,
  known: Set<string>,
  signal: AbortSignal | undefined,
): Promise<FoundAttestation[]> {
  const { registry: host, repository } = parseReference(name)
  const place = { registry: host, repository }
  const read =
    (layer: Descriptor) =>
    (options: AbortOptions = {}) =>
      collectBytes(verifyBytes(registry.fetchBlob(place, layer, options), layer), MOST, layer.digest)
  const found: FoundAttestation[] = []
  const add = async (kind: FoundAttestation['place'], reference: { tag: string } | { digest: Digest }) => {
    const fetched = await fetchIfAny(registry, { ...place, ...reference }, signal)
    if (!fetched || known.has(fetched.descriptor.digest)) return
    known.add(fetched.descriptor.digest)
    const parsed = parseImageDocument(fetched.bytes, fetched.descriptor.mediaType)
    if (parsed.kind === 'manifest') found.push(...documentsOf(kind, subject, fetched.descriptor, parsed.manifest, read))
  }
  let count = 0
  for await (const entry of registry.listReferrers(place, subject.digest, { signal })) {
    if (++count > MOST_ENTRIES) break
    if (DOCUMENT.test(entry.artifactType ?? '')) await add('referrer', { digest: entry.digest as Digest })
  }
  for (const kind of ['att', 'sbom'] as const) await add('tag', { tag: attachedTag(subject.digest, kind) })
  return found
}

async function fetchIfAny(
  registry: RegistryClient,
  reference: Parameters<RegistryClient['fetchManifest']>[0],
  signal: AbortSignal | undefined,
) {
  try {
    return await registry.fetchManifest(reference, { signal })
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_MANIFEST_NOT_FOUND') return undefined
    throw error
  }
}

function documentsOf(
  place: FoundAttestation['place'],
  { digest, platform }: Subject,
  manifest: Descriptor,
  { layers }: ImageManifest,
  read: (layer: Descriptor) => FoundAttestation['read'],
): FoundAttestation[] {
  return layers.map(layer => ({
    place,
    subject: digest,
    ...(platform ? { platform } : {}),
    manifest,
    descriptor: layer,
    type: typeOf(layer),
    read: read(layer),
  }))
}

/** Cosign names the predicate type in an annotation of its own. */
function typeOf({ mediaType, annotations }: Descriptor): string {
  const stated = annotations?.[PREDICATE_ANNOTATION] ?? annotations?.predicateType
  return stated ?? (mediaType === STATEMENT_TYPE ? 'unknown' : mediaType)
}
