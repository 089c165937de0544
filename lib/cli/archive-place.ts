import type { ArchiveAddress } from '../archive/index.ts'
import type { CopySource, CopyTarget } from '../transfer/index.ts'
import type { Session } from './session.ts'

/** A place to copy to, and what is to be done when everything has arrived. */
export interface OpenedTarget {
  readonly target: CopyTarget
  /** Makes the result out of what has arrived. */
  readonly finish?: () => Promise<void>
}

/** An image in an archive, to copy from. */
export async function archiveSource(session: Session, address: ArchiveAddress, label: string): Promise<CopySource> {
  const archive = await session.archive(address)
  const { descriptor, labels } = archive.find(address.image)
  const store = {
    stat: archive.stat.bind(archive),
    read: archive.read.bind(archive),
    references: { get: async () => descriptor },
  }
  return { store, name: labels[0] ?? descriptor.digest, label }
}

/** An archive to copy to. It can only be written as a whole, so what comes is kept beside it until all is there. */
export async function archiveTarget(session: Session, address: ArchiveAddress, label: string): Promise<OpenedTarget> {
  const { format, path, image: name } = address
  const store = await session.scratchStore(path)
  const target = { store, name: 'image:copied', label }
  return {
    target,
    async finish() {
      const { saveArchive } = await import('../archive/index.ts')
      const descriptor = await store.references.get(target.name)
      await saveArchive(store, [{ image: descriptor!, name }], path, { format, signal: session.signal })
    },
  }
}
