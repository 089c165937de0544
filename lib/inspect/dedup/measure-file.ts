import { compress, gzipSize } from '../../compression/index.ts'

/** Longest content that is compressed at once; starting a stream costs more than compressing it. */
const AT_ONCE = 64 * 1024

/**
 * Reads a file once: hands its parts to a function, and resolves to its compressed size, or to `undefined` if that is
 * not wanted.
 */
export async function measureFile(
  content: AsyncIterable<Uint8Array>,
  compressed: boolean,
  onPart: (part: Uint8Array) => void,
): Promise<number | undefined> {
  const parts = content[Symbol.asyncIterator]()
  const head: Buffer[] = []
  let length = 0
  for (let next = await parts.next(); ; next = await parts.next()) {
    if (next.done) return compressed ? gzipSize(Buffer.concat(head)) : undefined
    onPart(next.value)
    if (!compressed) continue
    // The part belongs to the reader and is reused.
    head.push(Buffer.from(next.value))
    length += next.value.byteLength
    if (length > AT_ONCE) break
  }
  let bytes = 0
  for await (const block of compress(rest(head, parts, onPart), { type: 'gzip' })) bytes += block.byteLength
  return bytes
}

/** Yields what was read, then the parts that follow. */
async function* rest(
  head: readonly Buffer[],
  parts: AsyncIterator<Uint8Array>,
  onPart: (part: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* head
  for (let next = await parts.next(); !next.done; next = await parts.next()) {
    onPart(next.value)
    yield next.value
  }
}
