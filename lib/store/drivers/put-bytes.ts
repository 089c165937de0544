import { createDigester, parseDigest, splitDigest } from '../../digest/index.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import type { BlobInfo, PutOptions } from '../blob-store.ts'
import type { IngestSink } from './ingest-writer.ts'
import { proven } from './prove.ts'
import { checkSize } from './put-through.ts'

/** Bytes of a blob that is hashed at once, in 0.2 ms. */
const SMALL_BYTES = 64 * 1024

/**
 * Whether {@link putBytes} stores a source.
 *
 * @internal
 */
export function isSmall(source: ByteSource): source is Uint8Array {
  return source instanceof Uint8Array && source.byteLength <= SMALL_BYTES
}

/**
 * Stores a few bytes that are in memory. They are hashed first, so that nothing is opened for wrong bytes.
 *
 * PERF: a writer takes the chunks of a stream in turns and hashes them beside the writes. For a small blob it costs as
 * much processor time as the hash.
 *
 * @internal
 */
export async function putBytes(
  open: () => Promise<IngestSink>,
  source: Uint8Array,
  options: PutOptions,
): Promise<BlobInfo> {
  // SAFETY: the caller may change its bytes after they were hashed.
  const bytes = new Uint8Array(source)
  const blob = await prove(bytes, options)
  options.signal?.throwIfAborted()
  const sink = await open()
  try {
    options.signal?.throwIfAborted()
    await sink.append(bytes)
    await sink.publish(blob, options.signal)
    return blob
  } catch (error) {
    // The caller needs the first error; the sweep removes what `drop` could not.
    await sink.drop().catch(() => undefined)
    throw error
  }
}

async function prove(bytes: Uint8Array, options: PutOptions): Promise<BlobInfo> {
  checkSize(options)
  const { digest, hasher } = options
  const algorithm = digest === undefined ? 'sha256' : splitDigest(parseDigest(digest)).algorithm
  const digester = await createDigester({ algorithm, hasher })
  try {
    digester.update(bytes)
    return proven(digester, options)
  } finally {
    digester.release()
  }
}
