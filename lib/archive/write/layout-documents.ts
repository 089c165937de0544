import { canonicalJson } from '../../internal/canonical-json.ts'
import { Annotation, type Descriptor, formatReference, MediaType, parseReference } from '../../oci/index.ts'
import { ContainerdName } from '../formats/containerd-name.ts'
import { entryNameOf } from '../formats/entry-name.ts'
import type { WrittenImage } from './archive-source.ts'

/** SPEC: the only thing that says that this is a layout, byte for byte as every tool writes it. */
export const LAYOUT: Uint8Array = Buffer.from('{"imageLayoutVersion":"1.0.0"}')

/**
 * The `index.json` of images: an entry for each name, one without a name for an image that has none. The annotation of the
 * specification has the name as it is; the whole reference stands beside it for docker and containerd, which look there.
 */
export function indexOf(images: readonly WrittenImage[]): Uint8Array {
  const manifests = images.flatMap(({ descriptor, names }) =>
    names.length > 0 ? names.map(name => named(descriptor, name)) : [descriptor],
  )
  return canonicalJson({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests })
}

function named(descriptor: Descriptor, name: string): Descriptor {
  const whole = fullName(name)
  const annotations = { ...descriptor.annotations, [Annotation.RefName]: name }
  return { ...descriptor, annotations: whole === undefined ? annotations : { ...annotations, [ContainerdName]: whole } }
}

/** A bare word may be a tag as well as a name: nothing is made up for it. */
function fullName(name: string): string | undefined {
  return /[:/@]/.test(name) && entryNameOf(name) !== undefined ? formatReference(parseReference(name)) : undefined
}
