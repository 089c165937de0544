import { parseReference } from '../../oci/index.ts'
import { formatAge } from '../printing/format-age.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import type { TemplateRow } from '../printing/format-template.ts'
import type { ListedImage } from './listed-image.ts'

/** Fields of `images --format`, with the names and headings of docker, and two of our own. */
export const IMAGE_HEADINGS = {
  Name: 'NAME',
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  ID: 'IMAGE ID',
  Digest: 'DIGEST',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Platform: 'PLATFORM',
} as const

/** Way to show rows of `images`. */
export interface ImageStyle {
  /** Show identifiers in full. */
  readonly full: boolean
  /** Show digests in full, as docker does in every format. @defaultValue `full` */
  readonly fullDigests?: boolean
  /** Time from which ages count. */
  readonly now: Date
}

/** Makes the rows of `images`. The ID is the digest of the manifest or index, as in the containerd store of docker. */
export function imageRows(
  images: readonly ListedImage[],
  { full, fullDigests = full, now }: ImageStyle,
): TemplateRow[] {
  return images.map(image => ({
    Name: image.name,
    ...repositoryAndTag(image.name),
    ID: full ? image.digest : image.digest.slice(image.digest.indexOf(':') + 1).slice(0, 12),
    Digest: fullDigests ? image.digest : image.digest.slice(0, 19),
    CreatedSince: ageOf(image.created, now),
    CreatedAt: image.created ?? '',
    Size: image.error ? '?' : formatBytes(image.size),
    Platform: image.platforms.join(', ') || (image.error ? '?' : '-'),
  }))
}

/** A name that another tool wrote need not be a reference; docker shows `<none>` for a missing tag. */
function repositoryAndTag(name: string): { Repository: string; Tag: string } {
  try {
    const { registry, repository, tag } = parseReference(name)
    const short = registry === 'docker.io' ? repository.replace(/^library\//, '') : `${registry}/${repository}`
    return { Repository: short, Tag: tag ?? '<none>' }
  } catch {
    return { Repository: name, Tag: '<none>' }
  }
}

/** Docker shows no age for the time 0 of reproducible builds. */
function ageOf(created: string | undefined, now: Date): string {
  const time = new Date(created ?? 0)
  return time.getTime() > 0 ? formatAge(time, now) : 'N/A'
}
