import { DigestMismatchError, SizeMismatchError } from '../errors/index.ts'
import { type ByteSource, chunksOf, keepFault } from '../internal/byte-source.ts'
import { type Digest, splitDigest } from './digest.ts'
import type { HasherEngine } from './engine.ts'
import { createStreamDigester } from './stream-digester.ts'

/** Expected digest and size of a byte stream. */
export interface ExpectedBytes {
  /** The digest that the bytes must have. */
  readonly digest: Digest
  /** The number of bytes; not checked if absent. */
  readonly size?: number | undefined
}

/** Options of {@link verifyBytes}. */
export interface VerifyBytesOptions {
  /** @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Name of the bytes in errors. @defaultValue `'content'` */
  readonly what?: string | undefined
}

/**
 * Passes bytes on and verifies them: the stream ends only if size and digest match, and throws otherwise. Surplus bytes
 * are detected in the chunk that holds the first of them and are not passed on. Bytes passed on before the end are not
 * verified yet.
 *
 * @example
 * ```ts
 * for await (const chunk of verifyBytes(createReadStream('app.tar'), { digest })) process.stdout.write(chunk)
 * ```
 *
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH`, checked first.
 * @throws {@link DigestMismatchError} `ERR_DIGEST_MISMATCH`.
 */
export function verifyBytes(
  source: ByteSource,
  expected: ExpectedBytes,
  options: VerifyBytesOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  keepFault(source)
  return verifying(source, expected, options)
}

async function* verifying(
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
