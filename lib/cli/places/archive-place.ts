import type { ArchiveAddress } from '../../archive/index.ts'
import { formatReference, parseReference } from '../../oci/index.ts'
import type { CopyPlan, CopySource, CopyTarget } from '../../transfer/index.ts'
import type { Session } from '../session/session.ts'

/** An opened copy target, and the step that completes it. */
export interface OpenedTarget {
  readonly target: CopyTarget
  /** Writes the archive from the blobs that have arrived, with what is attached to the image. */
  readonly finish?: (plan: CopyPlan) => Promise<void>
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
  return { store, name, label, verbatim: true }
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
    async finish({ referrers, steps }) {
      const { saveArchive } = await import('../../archive/index.ts')
      const image = await store.references.get(target.name)
      const attached = steps.flatMap(({ descriptor, tags = [] }) =>
        tags.map(tag => ({ image: descriptor, name: nameBeside(name, tag) })),
      )
      // The list of docker cannot name what is no image.
      if (format === 'docker' && attached.length > 0)
        session.note(`left out, because docker-archive cannot name them: ${attached.map(one => one.name).join(', ')}`)
      const images = [{ image: image!, name }, ...(format === 'docker' ? [] : attached)]
      const unnamed = referrers.filter(digest => !attached.some(({ image: { digest: named } }) => named === digest))
      await saveArchive(store, images, path, { format, referrers: unnamed, signal: session.signal })
    },
  }
}

/** Returns the name of a tag in the repository of an image; the tag alone if the image has a word for a name. */
function nameBeside(name: string | undefined, tag: string): string {
  if (name === undefined || !/[:/]/.test(name)) return tag
  const { registry, repository } = parseReference(name)
  return formatReference({ registry, repository, tag })
}
