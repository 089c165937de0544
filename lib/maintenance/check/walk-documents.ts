import pLimit from 'p-limit'
import { type Digest, isDigest, parseDigest } from '../../digest/index.ts'
import { BlobCorruptError, BlobNotFoundError, SizeMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import {
  assertIndexDepth,
  assertLayersAgree,
  type Descriptor,
  edgesOf,
  type GraphEdge,
  type ImageManifest,
  isDocumentRole,
  isImageManifest,
  mayStayRemote,
  parseImageDocument,
  remoteLayersOf,
  roleOf,
} from '../../oci/index.ts'
import type { BlobReader, CheckFault, NamedEntry } from '../../store/index.ts'
import { faultOf, readDocument } from '../../store/index.ts'

/** Descriptor of a blob in a document, with the path of references to it. */
export interface Expectation {
  readonly descriptor: Descriptor
  /** Path of references: `tag app:1 → manifest → layer`. */
  readonly reason: string
  /** Whether the blob may be absent. */
  readonly optional: boolean
}

/** Start of a walk. */
export interface Root extends Pick<Expectation, 'descriptor' | 'reason'> {
  /**
   * True if the layers below may be absent, because the name records the registry that holds them. @defaultValue
   * `false`
   */
  readonly remoteLayers?: boolean
}

/** All blobs reachable from names. */
export interface Reached {
  /** Expectations by digest; a blob has several only if documents disagree about it. */
  readonly blobs: ReadonlyMap<Digest, readonly Expectation[]>
  /** Documents that could not be read or parsed, except absent or damaged ones. */
  readonly faults: readonly CheckFault[]
}

/** Converts an entry of the list of names to the start of a walk. */
export function rootOf({ name, descriptor }: NamedEntry): Root {
  return {
    descriptor,
    remoteLayers: remoteLayersOf(descriptor).length > 0,
    reason: `${name === undefined ? 'entry of index.json' : `tag ${name}`} → ${wordFor({ role: roleOf(descriptor), descriptor })}`,
  }
}

/** As {@link Expectation}, and whether the layers below the blob may be absent. */
interface Reach extends Expectation {
  readonly remoteLayers: boolean
}

interface Step extends Reach {
  readonly depth: number
}

/**
 * Follows documents down to the last layer, breadth first, so that each recorded path of references is a shortest one.
 * Damaged documents are skipped: the comparison of their bytes with the digest reports them. An image whose config
 * lists other layers than its manifest is a fault, because a pull would refuse it.
 */
export async function walkDocuments(
  store: BlobReader,
  roots: readonly Root[],
  options: AbortOptions & { concurrency: number },
): Promise<Reached> {
  const blobs = new Map<Digest, Reach[]>()
  const faults: CheckFault[] = []
  const limit = pLimit(options.concurrency)
  let front: Step[] = roots.map(root => ({ remoteLayers: false, ...root, optional: false, depth: 0 }))
  while (front.length > 0) {
    const fresh = front.filter(step => isVerifiable(step, faults) && note(blobs, step))
    const next = await Promise.all(fresh.map(step => limit(() => below(store, step, faults, options.signal))))
    options.signal?.throwIfAborted()
    front = next.flat()
  }
  return { blobs, faults }
}

/**
 * Whether this library computes the algorithm of the digest. Otherwise no store can hold the blob: it is not looked up.
 */
function isVerifiable({ descriptor: { digest }, reason }: Step, faults: CheckFault[]): boolean {
  if (isDigest(digest)) return true
  if (faults.some(fault => fault.digest === digest)) return false
  try {
    parseDigest(digest)
  } catch (error) {
    faults.push(faultOf(error, { digest, path: digest, reason }))
  }
  return false
}

/** Records an expectation; returns whether it is new for the blob. */
function note(blobs: Map<Digest, Reach[]>, step: Step): boolean {
  const { descriptor, reason, optional, remoteLayers } = step
  const known = blobs.get(descriptor.digest) ?? []
  const same = (other: Reach) =>
    other.descriptor.size === descriptor.size &&
    other.descriptor.mediaType === descriptor.mediaType &&
    other.optional === optional &&
    // Another name may need the layers that this name may lack, so the document is followed for both.
    other.remoteLayers === remoteLayers
  if (known.some(same)) return false
  blobs.set(descriptor.digest, [...known, { descriptor, reason, optional, remoteLayers }])
  return true
}

async function below(
  store: BlobReader,
  { descriptor, reason, depth, remoteLayers }: Step,
  faults: CheckFault[],
  signal: AbortSignal | undefined,
): Promise<Step[]> {
  const { digest, mediaType } = descriptor
  if (!isDocumentRole(roleOf(descriptor))) return []
  try {
    assertIndexDepth(depth, descriptor)
    const document = parseImageDocument(await readDocument(store, descriptor, { signal }), mediaType)
    if (document.kind === 'manifest')
      await checkConfig(store, document.manifest, { descriptor, reason }, faults, signal)
    return edgesOf(document).map(edge => ({
      descriptor: edge.descriptor,
      reason: `${reason} → ${wordFor(edge)}`,
      optional: edge.optional || (remoteLayers && mayStayRemote(edge.role)),
      remoteLayers,
      depth: depth + 1,
    }))
  } catch (error) {
    signal?.throwIfAborted()
    if (!isSeenElsewhere(error)) faults.push(faultOf(error, { digest, path: digest, reason }))
    return []
  }
}

/**
 * Compares the layers in the config with those of the manifest. A difference is a fault of the manifest: the image
 * cannot be unpacked.
 */
async function checkConfig(
  store: BlobReader,
  manifest: ImageManifest,
  { descriptor: { digest }, reason }: Root,
  faults: CheckFault[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!isImageManifest(manifest) || !isDigest(manifest.config.digest)) return
  try {
    assertLayersAgree(manifest, await readDocument(store, manifest.config, { signal }))
  } catch (error) {
    signal?.throwIfAborted()
    if (!isSeenElsewhere(error)) faults.push(faultOf(error, { digest, path: digest, reason }))
  }
}

/** Whether the later comparison with the stored blobs reports this error: absence, damage and wrong sizes. */
function isSeenElsewhere(error: unknown): boolean {
  return error instanceof BlobNotFoundError || error instanceof BlobCorruptError || error instanceof SizeMismatchError
}

function wordFor({ role, descriptor }: Pick<GraphEdge, 'role' | 'descriptor'>): string {
  return role === 'blob' ? `blob (${descriptor.mediaType})` : role
}
