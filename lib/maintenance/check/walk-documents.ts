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
  parseImageDocument,
  roleOf,
} from '../../oci/index.ts'
import type { BlobReader, CheckFault, NamedEntry } from '../../store/index.ts'
import { faultOf, readDocument } from '../../store/index.ts'

/** What something says of a blob, and the way that leads there. */
export interface Expectation {
  readonly descriptor: Descriptor
  /** `tag app:1 → manifest → layer`. */
  readonly reason: string
  /** Whether it may be absent. */
  readonly optional: boolean
}

/** Where a walk begins. */
export type Root = Pick<Expectation, 'descriptor' | 'reason'>

/** Everything that names lead to. */
export interface Reached {
  /** By digest; more than one only if documents do not agree about a blob. */
  readonly blobs: ReadonlyMap<Digest, readonly Expectation[]>
  /** Documents that could not be read or understood, other than by being absent or damaged. */
  readonly faults: readonly CheckFault[]
}

/** An entry of the list of names as the beginning of a walk. */
export function rootOf({ name, descriptor }: NamedEntry): Root {
  return {
    descriptor,
    reason: `${name === undefined ? 'entry of index.json' : `tag ${name}`} → ${wordFor({ role: roleOf(descriptor), descriptor })}`,
  }
}

interface Step extends Expectation {
  readonly depth: number
}

/**
 * Follows documents down to the last layer, breadth first, so that the way noted is a shortest one. What is damaged is
 * passed over: what it is comes to light when its bytes are compared. An image whose config lists other layers than its
 * manifest is a fault, as a pull would refuse it.
 */
export async function walkDocuments(
  store: BlobReader,
  roots: readonly Root[],
  options: AbortOptions & { concurrency: number },
): Promise<Reached> {
  const blobs = new Map<Digest, Expectation[]>()
  const faults: CheckFault[] = []
  const limit = pLimit(options.concurrency)
  let front: Step[] = roots.map(root => ({ ...root, optional: false, depth: 0 }))
  while (front.length > 0) {
    const fresh = front.filter(step => isVerifiable(step, faults) && note(blobs, step))
    const next = await Promise.all(fresh.map(step => limit(() => below(store, step, faults, options.signal))))
    options.signal?.throwIfAborted()
    front = next.flat()
  }
  return { blobs, faults }
}

/** A blob whose digest is of an algorithm that is not computed here cannot be in a store, so it is not looked for. */
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

/** Whether this says something of the blob that was not said before. */
function note(blobs: Map<Digest, Expectation[]>, { descriptor, reason, optional }: Step): boolean {
  const known = blobs.get(descriptor.digest) ?? []
  const same = (other: Expectation) =>
    other.descriptor.size === descriptor.size &&
    other.descriptor.mediaType === descriptor.mediaType &&
    other.optional === optional
  if (known.some(same)) return false
  blobs.set(descriptor.digest, [...known, { descriptor, reason, optional }])
  return true
}

async function below(
  store: BlobReader,
  { descriptor, reason, depth }: Step,
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
      optional: edge.optional,
      depth: depth + 1,
    }))
  } catch (error) {
    signal?.throwIfAborted()
    if (!isSeenElsewhere(error)) faults.push(faultOf(error, { digest, path: digest, reason }))
    return []
  }
}

/** What the config says of the layers; a fault of the manifest, which nothing can unpack. */
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

/** Absence, damage and wrong sizes are found when what was reached is compared with what is there. */
function isSeenElsewhere(error: unknown): boolean {
  return error instanceof BlobNotFoundError || error instanceof BlobCorruptError || error instanceof SizeMismatchError
}

function wordFor({ role, descriptor }: Pick<GraphEdge, 'role' | 'descriptor'>): string {
  return role === 'blob' ? `blob (${descriptor.mediaType})` : role
}
