import { type ByteSource, chunksOf } from '../internal/byte-source.ts'
import type { Digest } from './digest.ts'
import { createDigester, type DigesterOptions } from './digester.ts'

/** The digest of a buffer or a stream. A stream is read once and not kept. */
export async function digestOf(source: ByteSource, options: DigesterOptions = {}): Promise<Digest> {
  const digester = await createDigester(options)
  try {
    for await (const chunk of chunksOf(source)) digester.update(chunk)
    return digester.digest()
  } finally {
    digester.release()
  }
}
