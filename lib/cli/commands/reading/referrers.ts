import type { Descriptor } from '../../../oci/index.ts'
import { placeOf } from '../../places/name-place.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import type { Session } from '../../session/session.ts'

/** Options of `referrers`. */
export interface ListReferrersOptions {
  readonly type?: string
}

/** `referrers NAME`: lists what is attached to an image: in the store if it has the name, else in the registry. */
export async function referrers(session: Session, text: string, { type }: ListReferrersOptions): Promise<void> {
  const found: Descriptor[] = []
  for await (const one of await attachedTo(session, text)) {
    if (type === undefined || one.artifactType === type) found.push(one)
  }
  const rows = found.map(({ digest, artifactType = '-', size }) => [digest, artifactType, formatBytes(size)])
  session.result(session.table(['DIGEST', 'TYPE', 'SIZE'], rows), found)
}

async function attachedTo(session: Session, text: string): Promise<AsyncIterable<Descriptor>> {
  const { signal } = session
  const place = await placeOf(session, text)
  const { name } = place
  if (place.where === 'store') {
    const { store } = place
    const { findDescriptor } = await import('../../../image/index.ts')
    const { storeSourceEndpoint } = await import('../../../transfer/index.ts')
    const { digest } = await findDescriptor(store, name, { signal })
    return storeSourceEndpoint(store, name).referrers!(digest, { signal })
  }
  const { parseReference } = await import('../../../oci/index.ts')
  const registry = await session.registry()
  const reference = parseReference(name)
  const { digest } = await registry.resolve(reference, { signal })
  return registry.listReferrers(reference, digest, { signal })
}
