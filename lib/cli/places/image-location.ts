import type { RegistryLocation, StoreLocation } from '../../transfer/index.ts'
import type { Session } from '../session/session.ts'
import { placeOf } from './name-place.ts'

/** Resolves to the place of an image for signatures: the store that has its name, or its registry. */
export async function imageLocation(session: Session, text: string): Promise<StoreLocation | RegistryLocation> {
  const place = await placeOf(session, text)
  return place.where === 'store'
    ? { store: place.store, name: place.name }
    : { registry: await session.registry(), reference: place.name }
}
