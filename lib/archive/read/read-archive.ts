import type { Digest, HasherEngine } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Platform } from '../../oci/index.ts'
import type { BlobReader, BlobStore } from '../../store/index.ts'
import type { ArchiveEntry, LayoutEntry } from '../formats/archive-entry.ts'
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

/** Options for reading an archive: the images to take, and the form that images of docker get. */
export interface ReadArchiveOptions extends AbortOptions {
  /**
   * The image to take: a name as the archive spells it, a reference, or `@n` for the nth, counted from 0.
   * @defaultValue all
   */
  readonly image?: string | undefined
  /**
   * Platform to take of a multi-platform image. @defaultValue all, if the archive holds all; else that of this machine
   */
  readonly platform?: string | Platform | undefined
  /**
   * Kind of manifest to compose for an image of docker without one. `docker` preserves fields that only docker reads
   * (health checks), for tools that go by the media type. @defaultValue `'oci'`
   */
  readonly manifestFormat?: 'oci' | 'docker' | undefined
  /**
   * List of images to follow in an archive that has both: the `index.json` of a layout (`oci`) or the `manifest.json`
   * of docker. @defaultValue `'oci'`
   */
  readonly format?: 'oci' | 'docker' | undefined
  /** Engine that computes digests. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/** Images of an archive, and what loading them needs. */
export interface ReadArchive {
  /** Format of the archive. An archive that has both is read as a layout. */
  readonly format: 'oci' | 'docker'
  /** Images whose layers the archive leaves out; empty for a complete archive. */
  readonly requires: readonly string[]
  /** The requested images. */
  readonly images: readonly ArchivedImage[]
  /** All images that a layout lists, requested or not. */
  readonly listed: readonly LayoutEntry[]
  /** Layers of docker; their diffIDs are proven once their blobs are. */
  readonly layers: readonly DescribedLayer[]
}

/** Blobs of an archive: from the archive itself, composed manifests, or blobs that the caller's store has too. */
export interface ArchiveBlobs {
  /** Reads the blobs passed to {@link ArchiveBlobs.know}, and manifests that were put. */
  readonly reader: BlobReader
  /** Stores manifests that the archive does not hold. */
  readonly manifests: Pick<BlobStore, 'put'>
  /** Adds blobs with their members in the archive. */
  know(blobs: ReadonlyMap<Digest, readonly Member[]>): void
}

/** Reads the images of an archive, and verifies that they are complete and that their configs and manifests agree. */
export async function readArchive(
  members: MemberTable,
  blobs: ArchiveBlobs,
  options: ReadArchiveOptions,
): Promise<ReadArchive> {
  blobs.know(members.blobs)
  const { format, entries, requires } = await readList(members, options)
  const { manifestFormat = 'oci', hasher, platform, signal } = options
  const compose = { manifestFormat, hasher, signal, described: new Map<string, DescribedLayer>() }
  const images: ArchivedImage[] = []
  for (const entry of selectEntries(entries, options.image)) {
    const listed = entry.kind === 'oci' ? entry.descriptor : await composed(members, blobs, entry, compose)
    const { descriptor, platformsLeftOut } = await chooseArchiveRoot(blobs.reader, listed, {
      platform,
      requires,
      signal,
    })
    await assertImageAgrees(blobs.reader, descriptor, members, { format, signal })
    const index = descriptor.digest === listed.digest ? {} : { index: listed.digest }
    images.push({ names: entry.names, labels: entry.labels, descriptor, ...index, platformsLeftOut })
  }
  const listed = entries.filter(entry => entry.kind === 'oci')
  return { format, images, requires, listed, layers: [...compose.described.values()] }
}

/** A list of images. */
interface ReadList {
  readonly format: 'oci' | 'docker'
  readonly entries: readonly ArchiveEntry[]
  readonly requires: readonly string[]
}

/** Reads the list of images in the format to follow. */
async function readList(members: MemberTable, options: ReadArchiveOptions): Promise<ReadList> {
  const preferred = options.format === 'docker' ? await readDockerList(members, options) : undefined
  if (preferred) return { format: 'docker', entries: preferred, requires: [] }
  const layout = await readLayout(members, options)
  if (layout) return { format: 'oci', ...layout }
  const list = await readDockerList(members, options)
  if (list) return { format: 'docker', entries: list, requires: [] }
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
