/**
 * Keys of annotations that this library reads or writes.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md | image-spec: annotations}
 */
export const Annotation = {
  /** Name of an entry in the `index.json` of a layout. */
  RefName: 'org.opencontainers.image.ref.name',
  /** Reference of the base image. */
  BaseName: 'org.opencontainers.image.base.name',
  /** Digest of the base image's manifest. */
  BaseDigest: 'org.opencontainers.image.base.digest',
  /** Time at which the image was made, RFC 3339. */
  Created: 'org.opencontainers.image.created',
  /** Title of a layer of an artifact: usually the name of a file. */
  Title: 'org.opencontainers.image.title',
  /** Repositories that hold the layers which a store may lack; on the entry of a name. See `remoteLayersOf`. */
  LayersFrom: 'layerstore.layers-from',
} as const
