import { type Digest, isDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { DerivedStore } from '../derived-store.ts'
import { changeFact, type FactKeeper, listOf, membersOf, readFact } from './fact-file.ts'

/** The fact that a blob holds the layer of a diffID. */
export interface LayerFact {
  /** Digest of the blob. */
  readonly digest: Digest
  /** Digest of its uncompressed bytes. */
  readonly diffId: Digest
  /**
   * Compressor, e.g. `gzip-6/zlib-1.3.1`: the same compressor gives the same bytes. Absent for blobs made by other
   * tools.
   */
  readonly compressor?: string | undefined
  /** Whether this library has seen the uncompressed bytes; otherwise an image config states the diffID. */
  readonly proven: boolean
}

interface LayerRecord {
  readonly blobs: readonly LayerFact[]
}

/** Maximum number of blobs kept per diffID: few compressions exist of one layer. */
const KEPT = 16

/** Records the diffID of a layer. An unproven fact does not replace a proven one. Best effort, as all facts are. */
export async function recordLayerFact(store: FactKeeper, fact: LayerFact): Promise<void> {
  const replaces = (known: LayerFact) => known.digest === fact.digest
  const add = ({ blobs }: LayerRecord) => {
    const known = blobs.find(replaces)
    if (known && known.diffId === fact.diffId && (known.proven || !fact.proven)) return undefined
    if (known?.proven && !fact.proven) return undefined
    const others = blobs.filter(other => !replaces(other))
    // SAFETY: a hostile image config could state many false facts and evict true ones; proven facts are sorted first.
    const all = [fact, ...others].sort((a, b) => Number(b.proven) - Number(a.proven))
    return { version: 1, blobs: all.slice(0, KEPT) }
  }
  await changeFact(store, keyOfDiffId(fact.diffId), parse, add)
  await changeFact(store, keyOfBlob(fact.digest), parse, add)
}

/** The recorded facts about the layer in a blob. */
export async function layerFact(
  store: FactKeeper,
  digest: Digest,
  options: AbortOptions = {},
): Promise<LayerFact | undefined> {
  const { blobs } = await readFact(store, keyOfBlob(digest), parse, options)
  return blobs.find(fact => fact.digest === digest)
}

/** Blobs recorded to hold the layer of a diffID, proven ones first; the store need not have them. */
export async function layersOfDiffId(
  store: FactKeeper,
  diffId: Digest,
  options: AbortOptions = {},
): Promise<readonly LayerFact[]> {
  const { blobs } = await readFact(store, keyOfDiffId(diffId), parse, options)
  return blobs.filter(fact => fact.diffId === diffId)
}

/**
 * Forgets the layer fact of a blob, and the entry index and further facts of its diffID if no other blob is known to
 * hold the layer.
 */
export async function forgetLayerFact(derived: DerivedStore, digest: Digest): Promise<void> {
  const fact = await layerFact({ derived }, digest)
  await derived.delete('facts', keyOfBlob(digest))
  if (!fact) return
  let others: readonly LayerFact[] = []
  await changeFact({ derived }, keyOfDiffId(fact.diffId), parse, ({ blobs }) => {
    others = blobs.filter(blob => blob.digest !== digest)
    return others.length > 0 ? { version: 1, blobs: others } : undefined
  })
  if (others.length > 0) return
  await derived.delete('facts', keyOfDiffId(fact.diffId))
  await derived.delete('facts', keyOfSecrets(fact.diffId))
  await derived.delete('indexes', fact.diffId)
}

/**
 * Key of the fact which files of a layer hold secrets.
 *
 * @internal
 */
export function keyOfSecrets(diffId: Digest): string {
  return `secrets:${diffId}`
}

function keyOfBlob(digest: Digest): string {
  return `layer:${digest}`
}

function keyOfDiffId(diffId: Digest): string {
  return `diff:${diffId}`
}

function parse(value: unknown): LayerRecord {
  const blobs = listOf(membersOf(value).blobs).flatMap(({ digest, diffId, compressor, proven }): LayerFact[] => {
    if (!isText(digest) || !isDigest(digest) || !isText(diffId) || !isDigest(diffId)) return []
    return [{ digest, diffId, proven: proven === true, ...(isText(compressor) ? { compressor } : {}) }]
  })
  return { blobs: blobs.slice(0, KEPT) }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
