import { type Digest, LentBytes, SourceLoan } from '../../digest/index.ts'
import { BlobCorruptError, FormatError, HasherError, StoreError } from '../../errors/index.ts'
import type { ReadBlobOptions } from '../../store/index.ts'
import { rangeOf } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { asStoreError } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import { afterQuarantine, isProven, type OpenBlob, readOpened, readWithPermit } from './read-blob.ts'
import type { VerifiedOnce } from './verified-once.ts'

/** Bytes of one chunk, which a thread reads, hashes and sends at a time. */
const PIECE = 512 * 1024

/** Reads a blob for a thread; see {@link BlobReader.readLent}. */
export function lendBlob(
  context: DiskContext,
  verified: VerifiedOnce,
  digest: Digest,
  options: ReadBlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  return readWithPermit(context, digest, options, blob => {
    // Nothing of an empty blob is lent, so no thread would verify it.
    const read = blob.stats.size === 0n ? readOpened : lendOpened
    return read(context, verified, blob, digest, options)
  })
}

async function* lendOpened(
  context: DiskContext,
  verified: VerifiedOnce,
  { file, stats }: OpenBlob,
  digest: Digest,
  options: ReadBlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const size = Number(stats.size)
  const { start, end, whole } = rangeOf(options, size)
  const isToProve = whole && !isProven(context, verified, digest, stats, options)
  const { hasher } = context.settings
  const loan = new SourceLoan({ fd: file.fd, proof: isToProve ? { digest, size, hasher } : undefined })
  try {
    for (let at = start; at < end; at += PIECE) {
      options.signal?.throwIfAborted()
      yield new LentBytes(loan, at, Math.min(PIECE, end - at))
      if (loan.fault) throw faultOf(loan.fault, digest, size)
    }
    if (!isToProve) return
    if (!loan.isProven) throw new FormatError('ERR_INVALID_ARGUMENT', `no thread has read the lent blob ${digest}`)
    verified.add(digest, stats)
  } catch (error) {
    throw whole ? await afterQuarantine(context, error, stats, options) : error
  } finally {
    await loan.end()
    await file.close()
  }
}

function faultOf(fault: NonNullable<SourceLoan['fault']>, digest: Digest, size: number): unknown {
  if ('error' in fault) return fault.type === 'lost' ? fault.error : readFault(fault.error, digest)
  if (fault.type === 'digest') return new BlobCorruptError({ digest, expected: digest, actual: fault.actual })
  return new BlobCorruptError({ digest, expected: `size ${size}`, actual: `size ${fault.actual}` })
}

/** Any other error than one of the system is a fault of the thread, for example of its hash. */
function readFault(cause: Error, digest: Digest): unknown {
  const error = asStoreError({ act: 'read', path: blobName(digest) }, cause)
  if (error instanceof StoreError) return error
  return new HasherError(`a thread could not read blob ${digest}: ${cause.message}`, { cause })
}
