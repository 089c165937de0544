/**
 * Media types that this library acts on. Blobs of every other media type are kept and moved unchanged.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md | image-spec: media types}
 */
export const MediaType = {
  /** OCI image manifest. */
  OciManifest: 'application/vnd.oci.image.manifest.v1+json',
  /** OCI image index. */
  OciIndex: 'application/vnd.oci.image.index.v1+json',
  /** OCI image config. */
  OciConfig: 'application/vnd.oci.image.config.v1+json',
  /** OCI layer, uncompressed. */
  OciLayer: 'application/vnd.oci.image.layer.v1.tar',
  /** OCI layer, gzip. */
  OciLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  /** OCI layer, zstd. */
  OciLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  /** The two bytes `{}`, the config of artifacts. */
  OciEmpty: 'application/vnd.oci.empty.v1+json',
  /** Docker image manifest, version 2 schema 2. */
  DockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  /** Docker manifest list. */
  DockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  /** Docker image config. */
  DockerConfig: 'application/vnd.docker.container.image.v1+json',
  /** Docker layer, uncompressed. */
  DockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  /** Docker layer, gzip. */
  DockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  /** Docker layer that registries do not hold. */
  DockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const

/** Media types that a registry may return for an image, in the order of preference. */
export const IMAGE_MEDIA_TYPES: readonly string[] = [
  MediaType.OciIndex,
  MediaType.OciManifest,
  MediaType.DockerManifestList,
  MediaType.DockerManifest,
]

/** True for the media type of an image manifest, OCI or Docker. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === MediaType.OciManifest || mediaType === MediaType.DockerManifest
}

/** True for the media type of an index, OCI or Docker. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MediaType.OciIndex || mediaType === MediaType.DockerManifestList
}

/** True for the media type of an image config, OCI or Docker. */
export function isConfigType(mediaType: string): boolean {
  return mediaType === MediaType.OciConfig || mediaType === MediaType.DockerConfig
}

/** True for the media type of a filesystem layer: of any compression, distributable or not, encrypted or not. */
export function isLayerType(mediaType: string): boolean {
  return (
    /^application\/vnd\.oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+[a-z0-9]+)?(\+encrypted)?$/.test(mediaType) ||
    /^application\/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.[a-z0-9]+)?(\+encrypted)?$/.test(mediaType)
  )
}

/**
 * True for a layer that registries do not hold (deprecated, but Windows images still have them). Such layers are
 * neither fetched nor uploaded, unless the caller asks for it.
 */
export function isForeignLayerType(mediaType: string): boolean {
  return isLayerType(mediaType) && /\.(nondistributable|foreign)\./.test(mediaType)
}

/**
 * True for an encrypted layer (imgcrypt, ocicrypt). This library moves such layers unchanged and cannot decrypt them.
 *
 * @see {@link https://github.com/containers/ocicrypt/blob/main/docs/design.md | ocicrypt}
 */
export function isEncryptedLayerType(mediaType: string): boolean {
  return isLayerType(mediaType) && mediaType.endsWith('+encrypted')
}
