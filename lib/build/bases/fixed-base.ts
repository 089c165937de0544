import type { Digest } from '../../digest/index.ts'
import { BuildError } from '../../errors/index.ts'

/** A base of a build, fixed to one manifest by a lock or by a stored plan. */
export interface FixedBase {
  /** Reference as the stage names it. */
  readonly reference: string
  /** Platform that was asked for, as `os/architecture[/variant]`. */
  readonly platform: string
  /** Digest of its manifest. */
  readonly digest: Digest
  /**
   * Digest of the index that listed it in its registry or layout. A build with a policy reads the image through this
   * index, whose signature counts then; the index decides nothing else.
   */
  readonly index?: Digest | undefined
}

/** Bases that are fixed: those of a lock, or those of a stored plan. */
export interface FixedBases {
  readonly locked?: { readonly bases: readonly FixedBase[] } | undefined
  /** Refuses a base that `locked` does not have. */
  readonly frozen?: boolean | undefined
}

/**
 * Returns what a lock has for a base; `undefined` if it has nothing.
 *
 * @throws {@link BuildError} `ERR_BUILD_LOCK` if the lock is frozen and has nothing.
 */
export function lockedBase(
  { locked, frozen = false }: FixedBases,
  reference: string,
  platform: string,
): FixedBase | undefined {
  const base = locked?.bases.find(one => one.reference === reference && one.platform === platform)
  if (base || !frozen) return base
  const message = `the lock has no base ${JSON.stringify(reference)} for ${platform}; a build that is not frozen adds it`
  throw new BuildError('ERR_BUILD_LOCK', message)
}

/**
 * Compares the image that was found with the one of a lock.
 *
 * @param asked - Digest or reference that the image was asked for by.
 *
 * @throws {@link BuildError} `ERR_BUILD_LOCK` if the index of the lock lists another image.
 */
export function assertLocked({ platform, digest }: FixedBase, found: Digest, asked: string): void {
  if (found === digest) return
  const message = `the lock is not valid: ${asked} lists ${found} for ${platform}, the lock ${digest}`
  throw new BuildError('ERR_BUILD_LOCK', message)
}
