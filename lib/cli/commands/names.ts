import { ReferenceNotFoundError } from '../../errors/index.ts'
import { findDescriptor } from '../../image/index.ts'
import type { Session } from '../session.ts'

/** `tag SRC DST`: gives a stored image another name. */
export async function tag(session: Session, source: string, name: string): Promise<void> {
  const store = await session.store({ create: false })
  const { signal } = session
  const descriptor = await findDescriptor(store, source, { signal })
  const kept = await store.references.set(name, descriptor, { signal, anyConfig: true })
  session.result(kept, { name: kept, digest: descriptor.digest })
}

/** `rm NAME…`: removes names (tags); `gc` removes their blobs later. If one name does not exist, none is removed. */
export async function remove(session: Session, names: readonly string[]): Promise<void> {
  const store = await session.store({ create: false })
  const { signal } = session
  for (const name of names) {
    if (!(await store.references.get(name, { signal }))) throw new ReferenceNotFoundError(name)
  }
  for (const name of names) await store.references.delete(name, { signal })
  session.result(names, { removed: names })
}
