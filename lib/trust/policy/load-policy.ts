import { dirname, resolve } from 'node:path'
import { LayerStoreError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import { type ImageToVerify, type ImageToVerifyOptions, imageToVerify } from '../../transfer/index.ts'
import { openPlace, type SignedPlace } from '../sign/image-place.ts'
import { applyRule } from './apply-rule.ts'
import { isAttached } from './is-attached.ts'
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
  /**
   * Verifies an image at its place, with the digest that is about to be used; the option `verify` of `loadArchive`, and
   * of the upstream registry of a server. What is attached to images (signatures, statements, SBOMs) passes, by its
   * digest and under the tags of cosign, unless the rule is `reject`.
   *
   * @param place - Place of the image, which also has its signatures.
   * @param root - Descriptor that is about to be used; nothing is looked up again.
   * @throws {@link TrustError} `ERR_POLICY_REFUSED`, whose `reasons` say what was missing.
   */
  readonly verifyAt: (place: SignedPlace, root: Descriptor, options?: ImageToVerifyOptions) => Promise<void>
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
  return {
    file,
    verify: image => applyRule(choose(image.source), image, file),
    async verifyAt(place, root, options) {
      const image = imageToVerify(openPlace(place), root, options)
      const rule = choose(image.source)
      // An image that is signed costs no look at its document.
      await applyRule(rule, image, file).catch(async error => {
        if (!isRefusal(error) || rule.kind === 'reject' || !(await isAttached(image))) throw error
      })
    },
  }
}

function isRefusal(error: unknown): boolean {
  return LayerStoreError.is(error) && error.code === 'ERR_POLICY_REFUSED'
}
