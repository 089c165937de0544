import type { Digest } from '../../digest/index.ts'
import { findDescriptor, type Image, readImageDocument } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type Descriptor, formatReference, mayStayRemote, parseReference, walkGraph } from '../../oci/index.ts'
import type { BlobStore, ReferenceStore, Store } from '../../store/index.ts'
import { entryNameOf } from '../formats/entry-name.ts'

/** Blobs with names: an opened archive, or another store. */
export interface ListedBlobs {
  /** Lists every blob. */
  readonly list: BlobStore['list']
  /** Lists the names. */
  readonly references: Pick<ReferenceStore, 'list'>
}

/**
 * Something that the receiver of an archive has already: an image of the store, by its name, digest or descriptor; an
 * image that was read; or an opened archive or another store with all its blobs.
 */
export type Prerequisite = string | Descriptor | Image | ListedBlobs

/** Layers that an archive omits, and the images that it therefore requires. */
export interface Prerequisites {
  /** Digests of the layers that the receiver has. */
  readonly had: ReadonlySet<Digest>
  /** The images that hold these layers, as `name@digest` or a digest. */
  readonly requires: readonly string[]
}

/**
 * Resolves what the receiver of an archive has.
 *
 * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`, and the errors of malformed documents.
 */
export async function resolvePrerequisites(
  store: Store,
  have: readonly Prerequisite[],
  options: AbortOptions,
): Promise<Prerequisites> {
  const had = new Set<Digest>()
  const requires: string[] = []
  for (const one of have) {
    if (typeof one === 'object' && 'list' in one) {
      for await (const { digest } of one.list(options)) had.add(digest)
      for await (const { name, descriptor } of one.references.list(options)) requires.push(labelOf(name, descriptor))
    } else if (typeof one === 'object' && 'manifest' in one) {
      for (const { digest } of one.manifest.layers) had.add(digest)
      requires.push(one.descriptor.digest)
    } else {
      const root = typeof one === 'string' ? await findDescriptor(store, one, options) : one
      for (const digest of await layersBelow(store, root, options)) had.add(digest)
      requires.push(typeof one === 'string' ? labelOf(one, root) : root.digest)
    }
  }
  return { had, requires: [...new Set(requires)] }
}

function labelOf(name: string, { digest }: Descriptor): string {
  const kept = entryNameOf(name)
  if (name === digest || kept === undefined) return digest
  return formatReference({ ...parseReference(kept), digest })
}

async function layersBelow(store: Store, root: Descriptor, options: AbortOptions): Promise<Digest[]> {
  const nodes = await walkGraph(root, { read: ({ descriptor }) => readImageDocument(store, descriptor, options) })
  return nodes.filter(({ role }) => mayStayRemote(role)).map(({ descriptor }) => descriptor.digest)
}
