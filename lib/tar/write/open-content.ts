import { FormatError } from '../../errors/index.ts'
import { type ByteSource, chunksOf, keepFault } from '../../internal/byte-source.ts'
import type { TarInput } from '../tar-entry.ts'

/** Opens the content of an entry, synchronously if possible. Refuses content unless the entry is a file. */
export function openContent(input: TarInput): ByteSource | Promise<ByteSource> {
  const { content } = input
  const opened = typeof content === 'function' ? content() : (content ?? '')
  return isPromise(opened) ? opened.then(source => checked(input, source)) : checked(input, opened)
}

/**
 * True if a value must be awaited. PERF: awaiting a plain value costs a microtask for each of tens of thousands of
 * entries.
 */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}

function checked({ type, path, size = 0 }: TarInput, opened: ByteSource | string): ByteSource | Promise<ByteSource> {
  const source = typeof opened === 'string' ? Buffer.from(opened) : opened
  // The header may be refused before the content is read.
  keepFault(source)
  if (type === 'file') return source
  // An entry from `readTar` has an empty content iterable, whatever its type.
  const refuse = () => {
    throw new FormatError('ERR_INVALID_ARGUMENT', `tar entry ${JSON.stringify(path)}: only a file has content`)
  }
  if (source instanceof Uint8Array) return source.byteLength + size === 0 ? source : refuse()
  return lengthOf(source).then(length => (length + size === 0 ? new Uint8Array() : refuse()))
}

async function lengthOf(source: ByteSource): Promise<number> {
  let bytes = 0
  for await (const chunk of chunksOf(source)) bytes += chunk.byteLength
  return bytes
}
