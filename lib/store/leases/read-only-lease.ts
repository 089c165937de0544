import type { Digest } from '../../digest/index.ts'
import type { Lease } from './lease-store.ts'

/**
 * The lease of a store that was opened read-only. It writes nothing, so it does not stop collections of other
 * processes.
 *
 * @param add - Resolves to whether the blob exists.
 */
export function readOnlyLease(add: (digest: Digest) => Promise<boolean>): Lease {
  const nothing = async () => {}
  return { id: 'read-only', add, renew: nothing, release: nothing, [Symbol.asyncDispose]: nothing }
}
