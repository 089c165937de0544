import { promisify } from 'node:util'
import { inflateRaw as inflate } from 'node:zlib'
import { FormatError, LimitError } from '../errors/index.ts'

const run = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate)

/**
 * Decompresses a deflate stream without a frame, as a member of a ZIP archive is one.
 *
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` if it has more than `maxBytes` bytes.
 * @throws {@link FormatError} `ERR_INVALID_COMPRESSION` if it is damaged or cut off.
 * @see {@link https://www.rfc-editor.org/rfc/rfc1951 | RFC 1951: deflate}
 * @internal
 */
export async function inflateRaw(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await run(bytes, { maxOutputLength: Math.max(1, maxBytes) })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new LimitError('inflated bytes', { limit: maxBytes, actual: maxBytes + 1 }, { cause })
    }
    throw new FormatError('ERR_INVALID_COMPRESSION', `not a deflate stream: ${(cause as Error).message}`, { cause })
  }
}
