import type { Digest, HasherEngine } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Platform } from '../../oci/index.ts'
import type { BlobReader, BlobStore } from '../../store/index.ts'
import type { ArchiveEntry } from '../formats/archive-entry.ts'
import {
  type ComposeDockerImageOptions,
  composeDockerImage,
  type DescribedLayer,
} from '../formats/compose-docker-image.ts'
import { readDockerList } from '../formats/read-docker-list.ts'
import { readLayout } from '../formats/read-layout.ts'
import { invalidArchive } from '../invalid-archive.ts'
import type { Member } from '../members/member.ts'
import type { MemberTable } from '../members/member-table.ts'
import type { ArchivedImage } from './archived-image.ts'
import { assertImageAgrees } from './assert-image-agrees.ts'
import { chooseArchiveRoot } from './choose-archive-root.ts'
import { selectEntries } from './select-entries.ts'

/** Which images of an archive, and how those of docker become images. */
export interface ReadArchiveOptions extends AbortOptions {
  /**
   * The image to take: a name as it stands in the archive, a reference, or `@n` for the nth, counted from 0.
   * @defaultValue all
   */
  readonly image?: string | undefined
  /** Platform to take of images for several. @defaultValue all, if the archive holds all; else this machine's */
  readonly platform?: Platform | undefined
  /**
   * The kind of manifest that images of docker get which have none. `docker` keeps what only docker understands (health
   * checks) alive for tools that go by the media type. @defaultValue `'oci'`
   */
  readonly manifestFormat?: 'oci' | 'docker' | undefined
  /**
   * Which list of images to follow in an archive that has both: the `index.json` of a layout (`oci`) or the `manifest.json`
   * of docker. @defaultValue `'oci'`
   */
  readonly format?: 'oci' | 'docker' | undefined
  /** What computes digests. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/** What an archive holds, and what its images need. */
export interface ReadArchive {
  /** Which kind of archive it is. One that is both is read as a layout. */
  readonly format: 'oci' | 'docker'
  /** The images asked for. */
  readonly images: readonly ArchivedImage[]
  /** Layers of docker, whose diffIds are proven once their blobs are. */
  readonly layers: readonly DescribedLayer[]
}

/** Where the blobs of an archive are found: in the archive, composed, or wherever the caller has them as well. */
export interface ArchiveBlobs {
  /** Reads what {@link ArchiveBlobs.know} was told of, and manifests that were put. */
  readonly reader: BlobReader
  /** Takes manifests that the archive does not hold. */
  readonly manifests: Pick<BlobStore, 'put'>
  /** Learns where blobs stand in the archive. */
  know(blobs: ReadonlyMap<Digest, readonly Member[]>): void
}

/** Finds out which images an archive holds, that they are whole, and that their configs and manifests agree. */
export async function readArchive(
  members: MemberTable,
  blobs: ArchiveBlobs,
  options: ReadArchiveOptions,
): Promise<ReadArchive> {
  blobs.know(members.blobs)
  const { format, entries } = await readList(members, options)
  const { manifestFormat = 'oci', hasher, platform, signal } = options
  const compose = { manifestFormat, hasher, signal, described: new Map<string, DescribedLayer>() }
  const images: ArchivedImage[] = []
  for (const entry of selectEntries(entries, options.image)) {
    const listed = entry.kind === 'oci' ? entry.descriptor : await composed(members, blobs, entry, compose)
    const { descriptor, platformsLeftOut } = await chooseArchiveRoot(blobs.reader, listed, { platform, signal })
    await assertImageAgrees(blobs.reader, descriptor, members, { format, signal })
    images.push({ names: entry.names, labels: entry.labels, descriptor, platformsLeftOut })
  }
  return { format, images, layers: [...compose.described.values()] }
}

/** The list of images that is followed. */
async function readList(
  members: MemberTable,
  options: ReadArchiveOptions,
): Promise<{ format: 'oci' | 'docker'; entries: readonly ArchiveEntry[] }> {
  const preferred = options.format === 'docker' ? await readDockerList(members, options) : undefined
  if (preferred) return { format: 'docker', entries: preferred }
  const layout = await readLayout(members, options)
  if (layout) return { format: 'oci', entries: layout }
  const list = await readDockerList(members, options)
  if (list) return { format: 'docker', entries: list }
  throw invalidArchive('it has neither oci-layout nor manifest.json')
}

async function composed(
  members: MemberTable,
  blobs: ArchiveBlobs,
  entry: ArchiveEntry & { readonly kind: 'docker' },
  options: ComposeDockerImageOptions,
) {
  const image = await composeDockerImage(members, entry, options)
  blobs.know(new Map([...image.blobs].map(([digest, member]) => [digest, [member]])))
  await blobs.manifests.put(image.manifest, { digest: image.descriptor.digest, signal: options.signal })
  return image.descriptor
}
