import { dirname, resolve } from 'node:path'
import type { ImageToVerify } from '../../transfer/index.ts'
import { applyRule } from './apply-rule.ts'
import { parseContainersPolicy } from './parse-containers-policy.ts'
import { parsePolicy } from './parse-policy.ts'
import { PolicyReader } from './policy-reader.ts'

/** A policy that says which images may be used. */
export interface ImagePolicy {
  /** Path of its file. */
  readonly file: string
  /**
   * Verifies an image before it is moved or named; the option `verify` of `runPull`, `runCopy`, `pullImage`,
   * `copyImage`, and, for bases, of `planBuild` and `buildImage`.
   *
   * @throws {@link TrustError} `ERR_POLICY_REFUSED`, whose `reasons` say what was missing.
   */
  readonly verify: (image: ImageToVerify) => Promise<void>
}

/**
 * Loads a policy: a file of this library, or the `policy.json` of skopeo, podman and buildah. Keys and trusted roots
 * are read at once, so a policy that cannot be applied fails here.
 *
 * @example
 * ```ts
 * const { verify } = await loadPolicy('policy.json')
 * await pullImage(registry, store, 'ghcr.io/team/app:1.0', { verify })
 * ```
 *
 * @throws {@link TrustError} `ERR_INVALID_POLICY`, `ERR_TRUST_PACKAGE`.
 */
export async function loadPolicy(file: string): Promise<ImagePolicy> {
  const path = resolve(file)
  const reader = new PolicyReader(file, dirname(path))
  const document = reader.object(await reader.json(path, ''), '')
  const isOwn = 'version' in document || 'repositories' in document
  const choose = await (isOwn ? parsePolicy : parseContainersPolicy)(reader, document)
  return { file, verify: image => applyRule(choose(image.source), image, file) }
}
