import type { ArchiveAddress } from '../../archive/index.ts'
import type { Digest } from '../../digest/index.ts'
import type { CopySource, CopyTarget } from '../../transfer/index.ts'
import type { Session } from '../session/session.ts'

/** An opened copy target, and the step that completes it. */
export interface OpenedTarget {
  readonly target: CopyTarget
  /** Writes the archive from the blobs that have arrived, with the manifests that refer to the image. */
  readonly finish?: (referrers: readonly Digest[]) => Promise<void>
}

/** Opens an image in an archive as a copy source. */
export async function archiveSource(session: Session, address: ArchiveAddress, label: string): Promise<CopySource> {
  const archive = await session.archive(address)
  const { descriptor, labels } = archive.find(address.image)
  const name = labels[0] ?? descriptor.digest
  const store = {
    stat: archive.stat.bind(archive),
    read: archive.read.bind(archive),
    list: archive.list.bind(archive),
    // The address may choose one of several images of that name. Other names are those of signatures.
    references: { get: async (wanted: string) => (wanted === name ? descriptor : archive.references.get(wanted)) },
  }
  return { store, name, label }
}

/**
 * Opens an archive as a copy target. An archive can only be written as a whole, so arriving blobs are kept in a scratch
 * store beside the file until the copy is complete.
 */
export async function archiveTarget(session: Session, address: ArchiveAddress, label: string): Promise<OpenedTarget> {
  const { format, path, image: name } = address
  const store = await session.scratchStore(path)
  const target = { store, name: 'image:copied', label }
  return {
    target,
    async finish(referrers) {
      const { saveArchive } = await import('../../archive/index.ts')
      const descriptor = await store.references.get(target.name)
      const images = [{ image: descriptor!, name }]
      await saveArchive(store, images, path, { format, referrers, signal: session.signal })
    },
  }
}
