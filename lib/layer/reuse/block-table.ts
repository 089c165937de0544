import { type Digest, type DigestCheckpoint, isDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { DerivedStore } from '../../store/index.ts'

/** One compressed block of a stored layer. */
export interface BlockRow {
  /** Digest of all that the block was made of, see `layOut`. */
  readonly key: Digest
  /** Size of the compressed block in bytes. */
  readonly length: number
  /** CRC-32 of the compressed block. */
  readonly packedChecksum: number
  /** CRC-32 of the tar up to the end of the block. */
  readonly checksum: number
  /** State of the diffID after the block; absent if the hasher cannot save it. */
  readonly state?: DigestCheckpoint | undefined
}

/** The compressed blocks of a stored layer, in order. Derived data: it may be lost at any time. */
export interface BlockTable {
  /** Digest of the blob that has the blocks, after a gzip header. */
  readonly blob: Digest
  /** Compressor that made them, as in a layer fact. */
  readonly compressor: string
  readonly rows: readonly BlockRow[]
}

const VERSION = 1

/** Stores a table. Best effort: without it the next layer is compressed anew. */
export async function keepBlockTable(derived: DerivedStore, table: BlockTable, options: AbortOptions): Promise<void> {
  const { blob, compressor, rows } = table
  const stored = {
    version: VERSION,
    compressor,
    rows: rows.map(({ key, length, packedChecksum, checksum, state }) => [
      ...[key, length, packedChecksum, checksum],
      ...(state ? [state] : []),
    ]),
  }
  await derived.set('facts', keyOf(blob), Buffer.from(JSON.stringify(stored)), options).catch(() => undefined)
  options.signal?.throwIfAborted()
}

/** Reads the table of a blob; `undefined` if there is none, or none of this compressor. */
export async function readBlockTable(
  derived: DerivedStore,
  blob: Digest,
  compressor: string,
  options: AbortOptions,
): Promise<BlockTable | undefined> {
  try {
    const bytes = await derived.get('facts', keyOf(blob), options)
    const stored = bytes && JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (stored?.version !== VERSION || stored.compressor !== compressor) return undefined
    return { blob, compressor, rows: (stored.rows as unknown[][]).map(rowOf) }
  } catch {
    options.signal?.throwIfAborted()
    return undefined
  }
}

function rowOf([key, length, packedChecksum, checksum, state]: unknown[]): BlockRow {
  const sound =
    typeof key === 'string' && isDigest(key) && isCount(length) && isCount(packedChecksum) && isCount(checksum)
  if (!sound) throw new Error('not a row of a block table')
  return {
    ...{ key, length, packedChecksum, checksum },
    // Its own checksum is verified where it is restored.
    ...(state ? { state: state as DigestCheckpoint } : {}),
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Facts about a blob are forgotten with it. */
function keyOf(blob: Digest): string {
  return `blocks:${blob}`
}
