import type { Digest } from '../../digest/index.ts'
import { BuildError } from '../../errors/index.ts'
import { formatReference, parseReference } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { BuildLockOptions } from './image-lock.ts'

/**
 * Returns the digest that a lock has for a base; `undefined` if it has none.
 *
 * @throws {@link BuildError} `ERR_BUILD_LOCK` if the lock is frozen and has none.
 */
export function lockedDigest(
  { locked, frozen = false }: BuildLockOptions,
  reference: string,
  platform: string,
): Digest | undefined {
  const base = locked?.bases.find(one => one.reference === reference && one.platform === platform)
  if (base || !frozen) return base?.digest
  throw new BuildError('ERR_BUILD_LOCK', `the lock has no base ${JSON.stringify(reference)} for ${platform}`)
}

/** Returns the name under which a locked base is looked up: its digest if the store has it, else in its repository. */
export async function lockedName(store: Store, reference: string, digest: Digest, signal: AbortSignal | undefined) {
  if (await store.stat(digest, { signal })) return digest
  const { registry, repository } = parseReference(reference)
  return formatReference({ registry, repository, digest })
}
