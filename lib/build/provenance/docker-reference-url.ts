import { parseReference } from '../../oci/index.ts'

/**
 * Package URL of an image, as BuildKit writes it: `pkg:docker/alpine@3.18?platform=linux%2Famd64`. The digest is given
 * beside it.
 */
export function dockerReferenceUrl(reference: string, platform: string): string {
  const { registry, repository, tag } = parseReference(reference)
  const isHub = registry === 'docker.io'
  const name = isHub ? repository.replace(/^library\//, '') : `${registry}/${repository}`
  const version = tag ? `@${encodeURIComponent(tag)}` : ''
  return `pkg:docker/${name.split('/').map(encodeURIComponent).join('/')}${version}?platform=${encodeURIComponent(platform)}`
}
