import type { Digest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { parseReference } from '../../oci/index.ts'

/**
 * Package URL of an image, as BuildKit writes it: `pkg:docker/alpine@3.18?platform=linux%2Famd64`, with the digest
 * that the reference has. An image of a layout has no reference: `pkg:oci/NAME@DIGEST?platform=…`, where NAME is the
 * last part of its path.
 *
 * @param digest - Digest of the image, for one of a layout.
 */
export function dockerReferenceUrl(reference: string, platform: string, digest?: Digest): string {
  const parsed = parseIfReference(reference)
  if (!parsed) {
    const name = /([^/:]*?)(?::[^/@]*)?(?:@[^/@:]*:[^/@]*)?$/.exec(reference)?.[1] || 'image'
    const version = digest ? `@${encodeURIComponent(digest)}` : ''
    return `pkg:oci/${encodeURIComponent(name.toLowerCase())}${version}?platform=${encodeURIComponent(platform)}`
  }
  const { registry, repository, tag } = parsed
  const isHub = registry === 'docker.io'
  const name = isHub ? repository.replace(/^library\//, '') : `${registry}/${repository}`
  const version = tag ? `@${encodeURIComponent(tag)}` : ''
  const named = parsed.digest ? `digest=${parsed.digest}&` : ''
  return `pkg:docker/${name.split('/').map(encodePart).join('/')}${version}?${named}platform=${encodeURIComponent(platform)}`
}

/** SPEC: the colon of a port is not encoded in a package URL. */
function encodePart(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':')
}

function parseIfReference(reference: string) {
  try {
    return parseReference(reference)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
