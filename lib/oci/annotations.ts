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
} as const
