import type { AbortOptions } from '../../internal/abort.ts'
import { JsonFault, parseStrictJson } from '../../internal/strict-json.ts'
import { familiarName, Limits, parseReference } from '../../oci/index.ts'
import { normalizePath } from '../../tar/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import { ArchiveLimits } from '../limits.ts'
import type { MemberTable } from '../members/member-table.ts'
import type { DockerEntry } from './archive-entry.ts'
import { readMember } from './read-member.ts'

/**
 * Reads the images that docker's `manifest.json` lists; resolves to `undefined` if the archive has none.
 *
 * @throws {@link FormatError} `ERR_INVALID_LAYOUT` with the position of the fault, `ERR_INVALID_REFERENCE` for an
 * invalid tag.
 * @see
 * {@link https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.2.md#combined-image-json--filesystem-changeset-format | docker image specification: combined format}
 */
export async function readDockerList(members: MemberTable, options: AbortOptions): Promise<DockerEntry[] | undefined> {
  const list = members.file('manifest.json')
  if (!list) return undefined
  const images = parse(await readMember(list, ArchiveLimits.dockerManifestBytes, options))
  if (!Array.isArray(images)) throw invalidArchive('must be an array', 'manifest.json')
  return images.map((image, i) => entryOf(image, `manifest.json[${i}]`))
}

function parse(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes)
  } catch (cause) {
    if (!(cause instanceof JsonFault)) throw cause
    throw invalidArchive(cause.message, `manifest.json, byte ${cause.position}`, cause)
  }
}

function entryOf(image: unknown, at: string): DockerEntry {
  if (typeof image !== 'object' || image === null || Array.isArray(image)) throw invalidArchive('must be an object', at)
  const own = (key: string) => (Object.hasOwn(image, key) ? (image as Record<string, unknown>)[key] : undefined)
  const config = own('Config')
  if (typeof config !== 'string') throw invalidArchive('must be a path', `${at}.Config`)
  const layers = strings(own('Layers'), `${at}.Layers`)
  if (layers.length > Limits.layers) {
    throw invalidArchive(`has ${layers.length} members, more than ${Limits.layers}`, `${at}.Layers`)
  }
  const labels = strings(own('RepoTags'), `${at}.RepoTags`)
  return {
    kind: 'docker',
    at,
    names: [...new Set(labels.map(label => familiarName(parseReference(label))))],
    labels,
    config: normalizePath(config, 'ERR_INVALID_LAYOUT', `${at}.Config`),
    layers: layers.map((layer, i) => normalizePath(layer, 'ERR_INVALID_LAYOUT', `${at}.Layers[${i}]`)),
  }
}

/** docker writes `null` for an empty list. */
function strings(value: unknown, at: string): string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every(part => typeof part === 'string')) return value
  throw invalidArchive('must be an array of strings', at)
}
