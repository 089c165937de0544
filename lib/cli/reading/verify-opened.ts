import { findDescriptor } from '../../image/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import { openCopySource } from '../places/image-place.ts'
import type { Session } from '../session/session.ts'
import { type PolicyOption, policyOf } from '../signing/policy-of.ts'
import type { OpenedImage } from './open-image.ts'

/**
 * Verifies an image that is read where it is, if a policy is set. Images of the store were verified when they came.
 *
 * @param text - The image as the user wrote it.
 * @param root - Manifest that is about to be used.
 * @throws {@link TrustError} `ERR_POLICY_REFUSED`.
 */
export async function verifyOpened(
  session: Session,
  text: string,
  { blobs, name, isRemote }: OpenedImage,
  root: Descriptor,
  options: PolicyOption,
): Promise<void> {
  if (!isRemote && !/^oci(-archive)?:|^docker-archive:/.test(text)) return
  const policy = await policyOf(session, options)
  if (!policy) return
  const { signal } = session
  const place = isRemote ? { registry: await session.registry(), reference: name } : await openCopySource(session, text)
  const top = await findDescriptor(blobs, name, { signal })
  await policy.verifyAt(place, root, { index: top.digest === root.digest ? undefined : top.digest, signal })
}
