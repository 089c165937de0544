import { DigestMismatchError, SizeMismatchError } from '../errors/index.ts'
import { type ByteSource, chunksOf } from '../internal/byte-source.ts'
import { type Digest, splitDigest } from './digest.ts'
import type { HasherEngine } from './engine.ts'
import { createStreamDigester } from './stream-digester.ts'

/** What bytes are supposed to be. */
export interface ExpectedBytes {
  /** The digest they must have. */
  readonly digest: Digest
  /** The number of bytes there must be; not checked if absent. */
  readonly size?: number | undefined
}

/** How {@link verifyBytes} reports. */
export interface VerifyBytesOptions {
  /** @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Names the bytes in errors. @defaultValue `'content'` */
  readonly what?: string | undefined
}

/**
 * Passes bytes through and proves that they are the expected ones: it ends only if size and digest held, and throws
 * instead of ending if not. Surplus bytes are noticed with the chunk that holds the first of them, and not passed on.
 * Bytes seen before the end are not proven yet.
 *
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH`, checked first.
 * @throws {@link DigestMismatchError} `ERR_DIGEST_MISMATCH`.
 */
export async function* verifyBytes(
  source: ByteSource,
  expected: ExpectedBytes,
  options: VerifyBytesOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { algorithm } = splitDigest(expected.digest)
  const size = expected.size ?? Number.POSITIVE_INFINITY
  const what = options.what ?? 'content'
  const digester = await createStreamDigester({ algorithm, hasher: options.hasher })
  try {
    for await (const chunk of chunksOf(source)) {
      await digester.update(chunk)
      if (digester.bytesHashed > size)
        throw new SizeMismatchError({ expected: size, actual: digester.bytesHashed, what })
      yield chunk
    }
    if (expected.size !== undefined && digester.bytesHashed !== size) {
      throw new SizeMismatchError({ expected: size, actual: digester.bytesHashed, what })
    }
    const actual = await digester.digest()
    if (actual !== expected.digest) throw new DigestMismatchError({ expected: expected.digest, actual, what })
  } finally {
    digester.release()
  }
}
