import { findDescriptor } from '../../../image/index.ts'
import { nameInStore } from '../../places/name-place.ts'
import type { Session } from '../../session/session.ts'

/** `tag SRC DST`: gives a stored image another name. */
export async function tag(session: Session, source: string, name: string): Promise<void> {
  const store = await session.store({ create: false })
  const { signal } = session
  const descriptor = await findDescriptor(store, nameInStore(source), { signal })
  const kept = await store.references.set(nameInStore(name), descriptor, { signal, anyConfig: true })
  session.result(kept, { name: kept, digest: descriptor.digest })
}
