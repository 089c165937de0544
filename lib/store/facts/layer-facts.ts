import { type Digest, isDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { DerivedStore } from '../derived-store.ts'
import { changeFact, type FactKeeper, listOf, membersOf, readFact } from './fact-file.ts'

/** That a blob holds the layer of a diffID. */
export interface LayerFact {
  /** Digest of the blob. */
  readonly digest: Digest
  /** Digest of what it holds when it is opened. */
  readonly diffId: Digest
  /** What compressed it, e.g. `gzip-6/zlib-1.3.1`: the same bytes come out of the same one. Unknown for blobs of others. */
  readonly compressor?: string | undefined
  /** Whether the bytes were seen here; else an image config said so. */
  readonly proven: boolean
}

interface LayerRecord {
  readonly blobs: readonly LayerFact[]
}

/** One diffID comes in a few compressions. */
const KEPT = 16

/**
 * Notes what a layer holds. A proven fact is not replaced by what somebody only says. Best effort, as all facts are.
 */
export async function recordLayerFact(store: FactKeeper, fact: LayerFact): Promise<void> {
  const replaces = (known: LayerFact) => known.digest === fact.digest
  const add = ({ blobs }: LayerRecord) => {
    const known = blobs.find(replaces)
    if (known && known.diffId === fact.diffId && (known.proven || !fact.proven)) return undefined
    if (known?.proven && !fact.proven) return undefined
    const others = blobs.filter(other => !replaces(other))
    // SAFETY: what is only said, perhaps by a hostile image, must not push out what is known.
    const all = [fact, ...others].sort((a, b) => Number(b.proven) - Number(a.proven))
    return { version: 1, blobs: all.slice(0, KEPT) }
  }
  await changeFact(store, keyOfDiffId(fact.diffId), parse, add)
  await changeFact(store, keyOfBlob(fact.digest), parse, add)
}

/** What is known of the layer in a blob. */
export async function layerFact(
  store: FactKeeper,
  digest: Digest,
  options: AbortOptions = {},
): Promise<LayerFact | undefined> {
  const { blobs } = await readFact(store, keyOfBlob(digest), parse, options)
  return blobs.find(fact => fact.digest === digest)
}

/** Blobs that hold the layer of a diffID, the proven ones first; they need not be in the store. */
export async function layersOfDiffId(
  store: FactKeeper,
  diffId: Digest,
  options: AbortOptions = {},
): Promise<readonly LayerFact[]> {
  const { blobs } = await readFact(store, keyOfDiffId(diffId), parse, options)
  return blobs.filter(fact => fact.diffId === diffId)
}

/** Forgets what a blob held, and the entry index of that if no other blob is known to hold it. */
export async function forgetLayerFact(derived: DerivedStore, digest: Digest): Promise<void> {
  const fact = await layerFact({ derived }, digest)
  await derived.delete('facts', keyOfBlob(digest))
  if (!fact) return
  let others: readonly LayerFact[] = []
  await changeFact({ derived }, keyOfDiffId(fact.diffId), parse, ({ blobs }) => {
    others = blobs.filter(blob => blob.digest !== digest)
    return { version: 1, blobs: others }
  })
  if (others.length > 0) return
  await derived.delete('facts', keyOfDiffId(fact.diffId))
  await derived.delete('indexes', fact.diffId)
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
