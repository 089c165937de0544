import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../digest/index.ts'
import { BlobCorruptError, BlobNotFoundError } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import type { ReadBlobOptions } from '../../blob-store.ts'
import { checkRange, rangeOf } from '../../shared/read-range.ts'
import { verifyStored } from '../../shared/verify-stored.ts'
import { quarantineBlob } from '../check/quarantine.ts'
import { restoreBlob } from '../collect/trash.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../layout.ts'
import type { VerifiedOnce } from './verified-once.ts'

/** Big enough that the calls hardly count, small enough for many readers at a time. */
const PIECE = 512 * 1024

/** The bytes of a blob; see {@link BlobReader.read}. */
export async function* readBlob(
  context: DiskContext,
  verified: VerifiedOnce,
  digest: Digest,
  options: ReadBlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  options.signal?.throwIfAborted()
  checkRange(options)
  const { file, stats } = await openBlob(context, digest)
  try {
    const size = Number(stats.size)
    const range = rangeOf(options, size)
    const policy = options.verify ?? context.settings.verify
    const proven = policy === 'never' || (policy === 'once-per-process' && verified.has(digest, stats))
    // A read up to the end goes one byte further when it is verified: a blob that grew is not the blob.
    const end = range.whole && !proven ? range.end + 1 : range.end
    const pieces = piecesOf(file, digest, range.start, end, options.signal)
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

/** The error to report. That a blob could not be moved changes nothing about it. */
async function afterQuarantine(
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

async function openBlob(context: DiskContext, digest: Digest): Promise<{ file: FileHandle; stats: BigIntStats }> {
  const name = blobName(digest)
  const path = join(context.places.root, name)
  return onDisk({ act: 'open', path: name }, async () => {
    const file = await openOrRestore(context, path, digest)
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

async function openOrRestore(context: DiskContext, path: string, digest: Digest): Promise<FileHandle> {
  try {
    return await openRegular(path, digest)
  } catch (error) {
    if (error instanceof BlobNotFoundError && (await restoreBlob(context, digest))) return openRegular(path, digest)
    throw error
  }
}

async function openRegular(path: string, digest: Digest): Promise<FileHandle> {
  try {
    // SAFETY: no symbolic link is followed, and a fifo does not hold up the caller.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
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

async function* piecesOf(
  file: FileHandle,
  digest: Digest,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const what = { act: 'read', path: blobName(digest) }
  for (let position = start; position < end; ) {
    signal?.throwIfAborted()
    // A new buffer each time: the reader may keep what it was given.
    const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, end - position))
    const { bytesRead } = await onDisk(what, () => file.read(buffer, 0, buffer.byteLength, position))
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
