import type { Pack } from 'tar-stream'
import type { AbortOptions } from '../internal/abort.ts'
import { abortableItems } from '../internal/abortable-items.ts'
import type { TarInput } from './tar-entry.ts'
import { writeEntry } from './write/write-entry.ts'

/** Few large pieces: an entry makes three small ones, and a hasher and a compressor behind pay for each. */
const PIECE = 256 * 1024

/**
 * Writes a tar archive, reproducibly: equal entries give equal bytes, and nothing but the entries has an influence.
 *
 * Missing members get fixed values: modes 0644, directories 0755, links 0777; owner and group 0; time 0. User and group
 * names are empty, times are whole seconds. What a plain ustar header cannot hold stands in PAX records, and only that.
 * The archive ends with two zero blocks and no further padding. The order is that of the entries; their content is
 * opened one at a time. Memory does not grow with the archive. Leaving the loop early frees everything.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an entry that cannot be written.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` for a path over 4,096 bytes or PAX records over 1 MiB.
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH` for content that is not as long as its `size`.
 * @see {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html | POSIX: ustar and pax}
 */
export async function* writeTar(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  options: AbortOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  options.signal?.throwIfAborted()
  const { pack: createPack } = await import('tar-stream')
  const pack = createPack({ highWaterMark: PIECE })
  // A failure of the pack reaches the loop below; without a listener it would end the process as well.
  pack.on('error', () => {})
  let failure: { error: unknown } | undefined
  const producing = produce(pack, entries, options.signal).catch((error: unknown) => {
    failure = { error }
    pack.destroy()
  })
  try {
    yield* inLargePieces(pack as AsyncIterable<Uint8Array>)
  } catch (error) {
    throw failure ? failure.error : error
  } finally {
    pack.destroy()
    await producing
  }
}

async function produce(
  pack: Pack,
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  signal: AbortSignal | undefined,
): Promise<void> {
  // PERF: 252 MB/s with each entry awaited, 63 MB/s and ten times the memory without.
  for await (const input of abortableItems(entries, signal)) {
    if (pack.destroying) return
    await writeEntry(pack, input, signal)
  }
  pack.finalize()
}

async function* inLargePieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let piece = Buffer.allocUnsafeSlow(PIECE)
  let filled = 0
  for await (const chunk of chunks) {
    if (filled + chunk.byteLength > PIECE && filled > 0) {
      yield piece.subarray(0, filled)
      piece = Buffer.allocUnsafeSlow(PIECE)
      filled = 0
    }
    if (chunk.byteLength >= PIECE) {
      yield chunk
    } else {
      piece.set(chunk, filled)
      filled += chunk.byteLength
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}
