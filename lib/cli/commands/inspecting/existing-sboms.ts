import { formatPlatform } from '../../../oci/index.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { openImage } from '../../reading/open-image.ts'
import type { Session } from '../../session/session.ts'

/**
 * `sbom NAME --existing [TYPE]`: lists the documents and statements about an image that it was given, or prints the one
 * of a type. They are not verified.
 */
export async function existingSboms(session: Session, name: string, type: string | true): Promise<void> {
  const { findAttestations } = await import('../../../trust/index.ts')
  const { blobs, name: found, isRemote } = await openImage(session, name)
  const { signal } = session
  const registry = isRemote ? await session.registry() : undefined
  const all = await findAttestations(blobs, found, { registry, signal })
  if (type !== true) {
    const one = all.find(each => each.type === type || each.type.includes(type) || each.descriptor.digest === type)
    if (!one) throw new UsageError(`nothing of the type ${JSON.stringify(type)}; --existing alone lists what is there`)
    return session.raw(Buffer.from(await one.read({ signal })))
  }
  const rows = all.map(({ place, platform, descriptor, type }) => [
    descriptor.digest,
    place,
    platform ? formatPlatform(platform) : '-',
    formatBytes(descriptor.size),
    type,
  ])
  const data = all.map(({ read: _, ...rest }) => rest)
  session.result(session.table(['DIGEST', 'PLACE', 'PLATFORM', 'SIZE', 'TYPE'], rows), data)
}
