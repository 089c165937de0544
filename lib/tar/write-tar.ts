import type { Pack } from 'tar-stream'
import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { abortableItems } from '../internal/abortable-items.ts'
import { type ByteSource, keepContentFaults } from '../internal/byte-source.ts'
import { batchesOf } from '../internal/memory/batched-iterable.ts'
import type { TarInput } from './tar-entry.ts'
import { headerOf } from './write/header-of.ts'
import { isPromise, openContent } from './write/open-content.ts'
import { PackFlow } from './write/pack-flow.ts'
import { PieceBuilder } from './write/piece-builder.ts'
import { sizeMismatch, streamEntry } from './write/stream-entry.ts'
import { BLOCK_BYTES, writeUstarBlock } from './write/ustar-block.ts'

/**
 * PERF: size of a piece in bytes. An entry makes three small parts; a hasher and a compressor have a cost for each
 * piece.
 */
const PIECE = 256 * 1024

/** Options of {@link writeTar}. */
export interface WriteTarOptions extends AbortOptions {
  /**
   * Let the writer reuse the memory of pieces: a piece is valid until the caller asks for the next one or leaves the
   * loop. @defaultValue `false`
   */
  readonly borrow?: boolean | undefined
}

/**
 * Writes a tar archive, reproducibly: equal entries give equal bytes, and nothing else influences them.
 *
 * Missing members get fixed values: mode 0644 for files, 0755 for directories, 0777 for links; owner, group and time 0.
 * User and group names are empty; times are whole seconds. PAX records hold only the values that do not fit into a
 * plain ustar header. The archive ends with two zero blocks and no further padding. Entries are written in the given
 * order; one content is open at a time. Memory does not grow with the archive. Leaving the loop early releases
 * everything.
 *
 * @example
 * ```ts
 * const tar = writeTar([{ path: 'app/config.json', type: 'file', content: '{}' }])
 * const { digest } = await store.put(tar)
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an entry that cannot be written.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` for a path over 4,096 bytes or PAX records over 1 MiB.
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH` if content is longer or shorter than its `size`; the error of
 * a content that fails unchanged, also if it fails before its turn.
 * @see {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html | POSIX: ustar and pax}
 */
export function writeTar(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  options: WriteTarOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  keepContentFaults(entries)
  return writing(entries, options)
}

async function* writing(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  { signal, borrow = false }: WriteTarOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  const { pack: createPack } = await import('tar-stream')
  const pack = createPack({ highWaterMark: PIECE })
  const flow = new PackFlow(pack)
  // Release functions of the pieces in the flow, by their memory: tar-stream passes on plain buffers.
  const borrowed = new Map<ArrayBufferLike, () => void>()
  const ready = new PieceBuilder(PIECE, ({ value, release }) => {
    if (borrow) borrowed.set(value.buffer, release)
    flow.push(value)
  })
  let failure: { error: unknown } | undefined
  const producing = produce({ pack, flow, ready }, entries, signal).catch((error: unknown) => {
    failure = { error }
    pack.destroy()
  })
  try {
    for await (const piece of inLargePieces(flow)) {
      yield piece
      borrowed.get(piece.buffer)?.()
      borrowed.delete(piece.buffer)
    }
  } catch (error) {
    throw failure ? failure.error : error
  } finally {
    pack.destroy()
    await producing
  }
}

async function produce(
  { pack, flow, ready }: { readonly pack: Pack; readonly flow: PackFlow; readonly ready: PieceBuilder },
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const batch of abortableItems(batchesOf(entries), signal)) {
    keepContentFaults(batch.value)
    for (const input of batch.value) {
      if (flow.isFull) await flow.room()
      if (pack.destroying) return
      const opened = openContent(input)
      const content = isPromise(opened) ? await opened : opened
      const { path, header, pax } = headerOf(input, sizeOf(input, content))
      if (pax) ready.add(pax, BLOCK_BYTES)
      if (content instanceof Uint8Array && content.byteLength < PIECE) {
        // PERF: small content in memory is written directly; a tar-stream entry is a stream with its states and
        // listeners.
        ready.addBlock(BLOCK_BYTES, (piece, at) => writeUstarBlock(piece, at, header))
        ready.add(content, BLOCK_BYTES)
      } else {
        ready.flush()
        await streamEntry(pack, { path, header }, content, signal)
      }
    }
    // The archive has a copy of all content of the batch.
    batch.release()
  }
  ready.flush()
  pack.finalize()
}

function sizeOf({ path, size }: TarInput, content: ByteSource): number {
  if (content instanceof Uint8Array) {
    if (size === undefined || size === content.byteLength) return content.byteLength
    throw sizeMismatch(path, size, content.byteLength)
  }
  if (size !== undefined && Number.isSafeInteger(size) && size >= 0) return size
  throw new FormatError('ERR_INVALID_ARGUMENT', `tar entry ${JSON.stringify(path)}: a stream needs its size`)
}

async function* inLargePieces(flow: PackFlow): AsyncGenerator<Uint8Array, void, undefined> {
  let piece: Buffer | undefined
  let filled = 0
  do {
    for (let chunk = flow.read(); chunk; chunk = flow.read()) {
      if (piece && filled + chunk.byteLength > PIECE) {
        yield piece.subarray(0, filled)
        piece = undefined
        filled = 0
      }
      if (chunk.byteLength >= PIECE / 2 && !piece) {
        yield chunk
        continue
      }
      piece ??= Buffer.allocUnsafeSlow(PIECE)
      piece.set(chunk, filled)
      filled += chunk.byteLength
    }
  } while (await flow.more())
  if (piece) yield piece.subarray(0, filled)
}
