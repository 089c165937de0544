import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { Session } from '../session/session.ts'
import { type PolicyOption, verifierOf } from '../signing/policy-of.ts'
import { placeOf } from './name-place.ts'

/**
 * Finds an image to compose with: a name or digest in the store, else a reference that names its registry, of which
 * manifests and configs are fetched and no layer.
 *
 * @throws {@link TrustError} `ERR_POLICY_REFUSED` if a policy is set and refuses an image of a registry.
 * @throws {@link ReferenceNotFoundError} for a plain name that the store does not have.
 */
export async function findToCompose(
  session: Session,
  store: Store,
  text: string,
  options: PolicyOption,
): Promise<Descriptor> {
  const { findDescriptor } = await import('../../image/index.ts')
  const { signal } = session
  const place = await placeOf(session, text, { store })
  const { name } = place
  if (place.where === 'store') return findDescriptor(store, name, { signal })
  const { pullDocuments } = await import('../../transfer/index.ts')
  session.note(`${name}: not in the store; its manifests and configs are fetched, its layers stay in the registry`)
  const verify = await verifierOf(session, options)
  return pullDocuments(await session.registry(), store, name, { verify, signal })
}
