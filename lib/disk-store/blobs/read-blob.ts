import type { BigIntStats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Digest } from '../../digest/index.ts'
import { BlobCorruptError, BlobNotFoundError } from '../../errors/index.ts'
import type { ElasticSemaphore } from '../../internal/concurrency/elastic-semaphore.ts'
import { isErrno } from '../../internal/errno.ts'
import { Pool } from '../../internal/memory/pool.ts'
import { READ_FLAGS } from '../../internal/record-file.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import type { ReadBlobOptions } from '../../store/index.ts'
import { checkRange, rangeOf, verifyStored } from '../../store/index.ts'
import { quarantineBlob } from '../check/quarantine.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import { ReadPermit } from './read-permit.ts'
import { restoreBlob } from './trash.ts'
import type { VerifiedOnce } from './verified-once.ts'

/**
 * Bytes per chunk: large enough that system calls cost little. With more than sixteen readers the chunks are smaller.
 */
const PIECE = 512 * 1024
const SMALLEST_PIECE = 64 * 1024
const ALL_PIECES = 16 * PIECE

/** Number of idle pieces kept for later readers that borrow: those of four readers. */
const KEPT_PIECES = 8

const lentPieces = new Pool<Uint8Array>(() => new Uint8Array(PIECE), KEPT_PIECES)

/** Reads the bytes of a blob; see {@link BlobReader.read}. */
export function readBlob(
  context: DiskContext,
  verified: VerifiedOnce,
  digest: Digest,
  options: ReadBlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  return readWithPermit(context, digest, options, blob => readOpened(context, verified, blob, digest, options))
}

/** Opens a blob and reads it with the permit of a reader. `read` closes the file. */
export async function* readWithPermit(
  context: DiskContext,
  digest: Digest,
  options: ReadBlobOptions,
  read: (blob: OpenBlob) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  options.signal?.throwIfAborted()
  checkRange(options)
  const permit = await ReadPermit.acquire(await readersFor(context, digest), options.signal)
  context.openReads++
  try {
    yield* permit.during(read(await openBlob(context, digest)))
  } finally {
    context.openReads--
    permit.release()
  }
}

/** Whether the bytes of a file need not be verified. */
export function isProven(
  context: DiskContext,
  verified: VerifiedOnce,
  digest: Digest,
  stats: BigIntStats,
  { verify = context.settings.verify }: ReadBlobOptions,
): boolean {
  return verify === 'never' || (verify === 'once-per-process' && verified.has(digest, stats))
}

/** PERF: looks up the size only if all permits of large reads are held. */
async function readersFor(context: DiskContext, digest: Digest): Promise<ElasticSemaphore> {
  if (context.readers.hasRoom) return context.readers
  const { size = 0 } = (await context.looks.look(digest)) ?? {}
  return size <= SMALLEST_PIECE ? context.smallReaders : context.readers
}

/** Reads an open blob and closes its file. */
export async function* readOpened(
  context: DiskContext,
  verified: VerifiedOnce,
  { file, stats }: OpenBlob,
  digest: Digest,
  options: ReadBlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const size = Number(stats.size)
    const range = rangeOf(options, size)
    const proven = isProven(context, verified, digest, stats, options)
    // A verified read asks for one byte past the end, to detect a file that has grown.
    const end = range.whole && !proven ? range.end + 1 : range.end
    const { signal, borrow = false } = options
    const pieces = piecesOf(context, file, { digest, start: range.start, end, signal, borrow })
    if (!range.whole || proven) return yield* pieces
    try {
      yield* verifyStored(pieces, { digest, size }, context.settings.hasher)
    } catch (error) {
      throw await afterQuarantine(context, error, stats, options)
    }
    verified.add(digest, stats)
  } finally {
    await file.close()
  }
}

/** The error to report; it is the same if the blob could not be moved to quarantine. */
export async function afterQuarantine(
  context: DiskContext,
  error: unknown,
  stats: BigIntStats,
  { onCorrupt = context.settings.onCorrupt }: ReadBlobOptions,
): Promise<unknown> {
  if (!(error instanceof BlobCorruptError) || onCorrupt === 'report' || context.settings.readOnly) return error
  const { digest, expected, actual } = error
  const quarantinedTo = await quarantineBlob(context, digest as Digest, stats).catch(() => undefined)
  return quarantinedTo === undefined
    ? error
    : new BlobCorruptError({ digest, expected, actual, quarantinedTo }, { cause: error })
}

/** An open file of a blob. */
export interface OpenBlob {
  readonly file: FileHandle
  readonly stats: BigIntStats
}

async function openBlob(context: DiskContext, digest: Digest): Promise<OpenBlob> {
  return onDisk({ act: 'open', path: blobName(digest) }, async () => {
    const file = await openOrRestore(context, digest)
    try {
      const stats = await file.stat({ bigint: true })
      if (!stats.isFile()) throw notAFile(digest, stats.isDirectory() ? 'a directory' : 'a special file')
      return { file, stats }
    } catch (error) {
      await file.close()
      throw error
    }
  })
}

async function openOrRestore(context: DiskContext, digest: Digest): Promise<FileHandle> {
  const path = context.places.blob(digest)
  try {
    return await openRegular(path, digest)
  } catch (error) {
    if (error instanceof BlobNotFoundError && (await restoreBlob(context, digest))) return openRegular(path, digest)
    throw error
  }
}

async function openRegular(path: string, digest: Digest): Promise<FileHandle> {
  try {
    return await withDescriptor(() => open(path, READ_FLAGS))
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) throw new BlobNotFoundError(digest, { cause })
    if (isErrno(cause, 'ELOOP')) throw notAFile(digest, 'a symbolic link')
    if (isErrno(cause, 'ENXIO')) throw notAFile(digest, 'a special file')
    throw cause
  }
}

function notAFile(digest: Digest, actual: string): BlobCorruptError {
  return new BlobCorruptError({ digest, expected: 'a regular file', actual })
}

/** One pass over a part of a blob. */
interface Pass {
  readonly digest: Digest
  readonly start: number
  readonly end: number
  readonly signal: AbortSignal | undefined
  readonly borrow: boolean
}

/** PERF: reads the next chunk while the caller processes the current one. */
async function* piecesOf(
  context: DiskContext,
  file: FileHandle,
  { digest, start, end, signal, borrow }: Pass,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  const memory = borrow ? [lentPieces.borrow(), lentPieces.borrow()] : []
  let turn = 0
  const pieceAt = (position: number) => {
    const share = Math.max(SMALLEST_PIECE, Math.min(PIECE, Math.floor(ALL_PIECES / context.openReads)))
    const size = Math.min(share, end - position)
    // A new buffer each time unless the caller borrows: it may keep the chunk.
    const buffer = memory[turn++ % 2]?.value.subarray(0, Math.max(0, size))
    const piece = size > 0 ? readPiece(file, digest, position, buffer ?? Buffer.allocUnsafeSlow(size)) : undefined
    // Prevents an unhandled rejection: the chunk is awaited later, or never.
    piece?.catch(() => undefined)
    return piece
  }
  let next = pieceAt(start)
  try {
    for (let position = start; ; ) {
      const piece = await next
      signal?.throwIfAborted()
      if (!piece || piece.byteLength === 0) return
      position += piece.byteLength
      // The caller has asked for the next chunk, so it no longer reads the one before `piece`.
      next = pieceAt(position)
      yield piece
      signal?.throwIfAborted()
    }
  } finally {
    await next?.catch(() => undefined)
    for (const { release } of memory) release()
  }
}

/** Fills a buffer; fewer bytes than it has room for mean the end of the file. */
async function readPiece(file: FileHandle, digest: Digest, position: number, buffer: Uint8Array): Promise<Uint8Array> {
  const size = buffer.byteLength
  const what = { act: 'read', path: blobName(digest) }
  for (let filled = 0; filled < size; ) {
    const { bytesRead } = await onDisk(what, () => file.read(buffer, filled, size - filled, position + filled))
    if (bytesRead === 0) return buffer.subarray(0, filled)
    filled += bytesRead
  }
  return buffer
}
