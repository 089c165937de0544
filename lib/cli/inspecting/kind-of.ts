import { type Descriptor, type ImageDocument, type ImageManifest, isConfigType, MediaType } from '../../oci/index.ts'

/** Kind of a stored object. */
export type Kind = 'image' | 'index' | 'artifact' | 'cache' | 'attestation' | 'signature' | 'blob'

/** Media type of the config of a BuildKit cache. In the index of a cache it is the media type of one entry. */
const CACHE_CONFIG = 'application/vnd.buildkit.cacheconfig.v0'
const DOCKER_ATTESTATION = 'application/vnd.docker.attestation.manifest.v1+json'
const NOTARY_SIGNATURE = 'application/vnd.cncf.notary.signature'
const COSIGN_SIGNATURE = 'application/vnd.dev.cosign.simplesigning.v1+json'
const SIGSTORE_BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle[.+]/
/** in-toto statements, bare or in a DSSE envelope. */
const STATEMENT = /^application\/vnd\.(in-toto[.+]|dsse\.envelope\.)/

/** Returns the kind of a manifest or an index. */
export function kindOf(document: ImageDocument): Kind {
  if (document.kind === 'manifest') return kindOfManifest(document.manifest)
  return document.index.manifests.some(({ mediaType }) => mediaType === CACHE_CONFIG) ? 'cache' : 'index'
}

/**
 * Returns the kind of a manifest. BuildKit and cosign write attestations and signatures with an image config, so the
 * layers are tested first.
 */
function kindOfManifest(manifest: ImageManifest): Kind {
  const { config, layers, annotations } = manifest
  const type = artifactTypeOf(manifest)
  const isOf = (wanted: (mediaType: string) => boolean) =>
    layers.length > 0 && layers.every(({ mediaType }) => wanted(mediaType))
  if (config.mediaType === CACHE_CONFIG) return 'cache'
  if (SIGSTORE_BUNDLE.test(type ?? '')) {
    return annotations?.['dev.sigstore.bundle.content'] === 'dsse-envelope' ? 'attestation' : 'signature'
  }
  if (type === DOCKER_ATTESTATION || isOf(mediaType => STATEMENT.test(mediaType))) return 'attestation'
  if (type === NOTARY_SIGNATURE || isOf(mediaType => mediaType === COSIGN_SIGNATURE)) return 'signature'
  return isConfigType(config.mediaType) ? 'image' : 'artifact'
}

/**
 * Returns the artifact type.
 *
 * SPEC: without `artifactType` it is the media type of the config (image-spec, manifest, guidelines for artifact
 * usage).
 */
export function artifactTypeOf({ artifactType, config }: ImageManifest): string | undefined {
  if (artifactType) return artifactType
  const isPlain = isConfigType(config.mediaType) || config.mediaType === MediaType.OciEmpty
  return isPlain ? undefined : config.mediaType
}

/**
 * Digest of the manifest that an index entry attests, if its annotations name one. BuildKit adds attestations to an
 * index this way.
 */
export function attestedBy({ annotations }: Descriptor): string | undefined {
  if (annotations?.['vnd.docker.reference.type'] !== 'attestation-manifest') return undefined
  return annotations['vnd.docker.reference.digest']
}
