import { canonicalJson } from '../../internal/canonical-json.ts'
import { Annotation, type Descriptor, formatReference, MediaType, parseReference } from '../../oci/index.ts'
import { ContainerdName } from '../formats/containerd-name.ts'
import { Requires } from '../formats/delta-annotation.ts'
import { entryNameOf } from '../formats/entry-name.ts'
import type { WrittenImage } from './archive-source.ts'

/** SPEC: the file that marks a layout, with the bytes that skopeo, docker and BuildKit write. */
export const LAYOUT: Uint8Array = Buffer.from('{"imageLayoutVersion":"1.0.0"}')

/**
 * Makes the `index.json` of images: one entry per name, and one without a name for an image that has none. The
 * annotation of the specification holds the name as given; the annotation of containerd holds the full reference, for
 * docker and containerd. A delta declares the images that it requires.
 */
export function indexOf(images: readonly WrittenImage[], requires: readonly string[]): Uint8Array {
  const manifests = images.flatMap(({ descriptor, names }) =>
    names.length > 0 ? names.map(name => named(descriptor, name)) : [descriptor],
  )
  const annotations = requires.length > 0 ? { annotations: { [Requires]: requires.join(' ') } } : {}
  return canonicalJson({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests, ...annotations })
}

function named(descriptor: Descriptor, name: string): Descriptor {
  const whole = fullName(name)
  const annotations = { ...descriptor.annotations, [Annotation.RefName]: name }
  return { ...descriptor, annotations: whole === undefined ? annotations : { ...annotations, [ContainerdName]: whole } }
}

/** Returns the full reference of a name. A bare word may be a tag as well as a name, so it gets no full reference. */
function fullName(name: string): string | undefined {
  return /[:/@]/.test(name) && entryNameOf(name) !== undefined ? formatReference(parseReference(name)) : undefined
}
