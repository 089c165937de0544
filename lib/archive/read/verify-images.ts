import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { BlobReader, BlobStore, ReferenceStore } from '../../store/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import type { MemberTable } from '../members/member-table.ts'
import { attachedEntry } from './attached-entry.ts'
import { namesToLoad } from './names-to-load.ts'
import type { ReadArchive } from './read-archive.ts'

/** The content of an archive as the part of a store that a verification reads. */
export interface ArchivedStore extends BlobReader, Pick<BlobStore, 'list'> {
  /** The tags of the archive. */
  readonly references: Pick<ReferenceStore, 'get'>
}

/** An image of an archive that is about to be loaded, and what the archive holds about it. */
export interface ArchivePlace {
  /** The blobs of the archive, and the tags beside its images. */
  readonly store: ArchivedStore
  /** Name that the image is about to get; its digest if it gets none. */
  readonly name: string
  /** Place for messages. */
  readonly label: string
}

/** Verifies an image of an archive before it gets a name. `verifyAt` of a policy is one. */
export type VerifyArchived = (
  place: ArchivePlace,
  root: Descriptor,
  options: AbortOptions & {
    /** Digest of the index that the archive lists, if only a part of it is taken. */
    readonly index?: Digest | undefined
  },
) => Promise<void>

/** Options of {@link verifyImages}. */
interface VerifyImagesOptions extends AbortOptions {
  readonly verify?: VerifyArchived | undefined
  readonly name?: string | undefined
}

/** Verifies each image that is about to be loaded, under each of its names. */
export async function verifyImages(
  { images, listed }: ReadArchive,
  members: MemberTable,
  reader: BlobReader,
  { verify, name, signal }: VerifyImagesOptions,
): Promise<void> {
  if (!verify) return
  const store = {
    stat: reader.stat.bind(reader),
    read: reader.read.bind(reader),
    async *list() {
      for (const digest of members.blobs.keys()) {
        const info = await reader.stat(digest, { signal })
        if (info) yield info
      }
    },
    references: { get: async (tag: string) => attachedEntry(listed, tag) },
  }
  for (const image of images) {
    const { descriptor, index } = image
    const given = namesToLoad(image, name)
    for (const one of given) assertOwnDigest(one, [descriptor.digest, ...(index ? [index] : [])])
    for (const one of given.length > 0 ? given : [descriptor.digest]) {
      const place = { store, name: one, label: `${JSON.stringify(one)} in the archive` }
      await verify(place, descriptor, { index, signal })
    }
  }
}

/** SAFETY: the name `app@sha256:…` could state the digest of another image, such as an older one that is signed. */
function assertOwnDigest(name: string, own: readonly Digest[]): void {
  const [, stated] = name.split('@')
  if (stated === undefined || own.some(digest => digest === stated)) return
  throw invalidArchive(`its name ${JSON.stringify(name)} states the digest of another image than ${own[0]}`)
}
