import type { AbortOptions } from '../../internal/abort.ts'
import { JsonFault, parseStrictJson } from '../../internal/strict-json.ts'
import { Annotation, type Descriptor, parseIndex, withRemoteLayers } from '../../oci/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import { ArchiveLimits } from '../limits.ts'
import type { MemberTable } from '../members/member-table.ts'
import type { LayoutEntry } from './archive-entry.ts'
import { ContainerdName } from './containerd-name.ts'
import { requiresOf } from './delta-annotation.ts'
import { entryNameOf } from './entry-name.ts'
import { readMember } from './read-member.ts'

/**
 * Reads the images that the `index.json` of a layout lists, each once with all its names; resolves to `undefined` if
 * the archive is not a layout.
 *
 * @throws {@link FormatError} `ERR_INVALID_LAYOUT`, `ERR_INVALID_INDEX`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md | image-spec: image layout}
 */
export async function readLayout(
  members: MemberTable,
  options: AbortOptions,
): Promise<{ entries: LayoutEntry[]; requires: readonly string[] } | undefined> {
  if (!members.has('oci-layout')) return undefined
  checkLayout(await readMember(members.file('oci-layout')!, ArchiveLimits.layoutBytes, options))
  const list = members.file('index.json')
  if (!list) throw invalidArchive('it has oci-layout, but no index.json')
  const index = parseIndex(await readMember(list, ArchiveLimits.indexBytes, options))
  const entries = new Map<string, LayoutEntry>()
  for (const listed of index.manifests) {
    const descriptor = withoutNames(listed)
    const before = entries.get(listed.digest)
    const { names, label } = namesOf(listed)
    entries.set(listed.digest, {
      kind: 'oci',
      descriptor: before?.descriptor ?? descriptor,
      names: [...new Set([...(before?.names ?? []), ...names])],
      labels: [...(before?.labels ?? []), ...(label === undefined ? [] : [label])],
    })
  }
  return { entries: [...entries.values()], requires: requiresOf(index.annotations) }
}

function checkLayout(bytes: Uint8Array): void {
  try {
    const layout = parseStrictJson(bytes) as { imageLayoutVersion?: unknown } | null
    const version = layout?.imageLayoutVersion
    if (typeof version === 'string' && /^1\.\d+\.\d+$/.test(version)) return
  } catch (cause) {
    if (!(cause instanceof JsonFault)) throw cause
    throw invalidArchive(cause.message, 'oci-layout', cause)
  }
  throw invalidArchive('imageLayoutVersion must be 1.x', 'oci-layout')
}

/**
 * containerd and docker write the full name beside the annotation of the specification, which then is a tag only. A
 * name that is no reference (an upper-case word, for example) stays a label that finds the image in the archive.
 */
function namesOf({ annotations }: Descriptor): { names: string[]; label: string | undefined } {
  const own = (key: string) => (annotations && Object.hasOwn(annotations, key) ? annotations[key] : undefined)
  const label = own(Annotation.RefName)
  const name = entryNameOf(own(ContainerdName)) ?? entryNameOf(label)
  return { names: name === undefined ? [] : [name], label }
}

/**
 * Removes the names, which belong to the list and not to the image.
 *
 * SAFETY: a store records on the entry of a name which registry holds its missing layers. An archive must not contain
 * such a record: a load would then set a name to an image without its layers, and a push would read them from an
 * address that the archive chose.
 */
function withoutNames(listed: Descriptor): Descriptor {
  const { annotations, ...rest } = withRemoteLayers(listed, [])
  const { [Annotation.RefName]: _, [ContainerdName]: __, ...others } = annotations ?? {}
  return Object.keys(others).length > 0 ? { ...rest, annotations: others } : rest
}
