import type { Digester } from '../../digest/index.ts'
import { DigestMismatchError, SizeMismatchError } from '../../errors/index.ts'
import type { BlobInfo, CommitOptions } from '../blob-store.ts'

/** Returns digest and size of the hashed bytes; throws if they differ from the expected ones. */
export function proven(digester: Digester, { size, digest }: CommitOptions): BlobInfo {
  const actual = digester.bytesHashed
  if (size !== undefined && size !== actual) throw new SizeMismatchError({ expected: size, actual, what: 'blob' })
  const own = digester.digest()
  if (digest !== undefined && digest !== own)
    throw new DigestMismatchError({ expected: digest, actual: own, what: 'blob' })
  return { digest: own, size: actual }
}

/** Throws if a store reports another digest or size than it was given. */
export function assertSame(stored: BlobInfo, own: BlobInfo): void {
  if (stored.digest !== own.digest) {
    throw new DigestMismatchError({ expected: own.digest, actual: stored.digest, what: 'blob as the store has it' })
  }
  if (stored.size === own.size) return
  throw new SizeMismatchError({
    expected: own.size,
    actual: stored.size,
    what: `blob ${own.digest} as the store has it`,
  })
}
