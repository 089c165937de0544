import { FormatError } from '../../errors/index.ts'
import { type Descriptor, type ImageManifest, MediaType } from '../../oci/index.ts'
import { composeManifest } from '../compose-manifest.ts'

/** Family of documents: OCI, or Docker version 2 schema 2. */
export type DocumentFamily = 'oci' | 'docker'

/** The family of a manifest or index, by its media type. */
export function familyOf(mediaType: string): DocumentFamily {
  const isDocker = mediaType === MediaType.DockerManifest || mediaType === MediaType.DockerManifestList
  return isDocker ? 'docker' : 'oci'
}

/**
 * Composes a manifest of a family. Members of `before` that this library does not know are kept. Docker manifests have
 * no annotations: those of layers and config are left out, and those of the manifest must be empty.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if a Docker manifest cannot say what is asked for: annotations, a
 * subject, an artifact type, a layer compressed with zstd.
 */
export function manifestIn(
  family: DocumentFamily,
  before: ImageManifest,
  parts: {
    readonly config: Pick<Descriptor, 'digest' | 'size'>
    readonly layers: readonly Descriptor[]
    readonly annotations: Readonly<Record<string, string>>
  },
): ImageManifest {
  const { annotations: _, mediaType: _type, ...kept } = before
  const { annotations } = parts
  if (family === 'oci') {
    const config = { mediaType: MediaType.OciConfig, ...parts.config }
    return { ...kept, ...composeManifest({ config, layers: parts.layers, annotations }) }
  }
  const surplus = before.subject ? 'a subject' : before.artifactType ? 'an artifact type' : undefined
  if (surplus) throw refuse(`a Docker manifest has no place for ${surplus}`)
  if (Object.keys(annotations).length > 0) throw refuse('a Docker manifest has no annotations: use labels')
  return {
    ...kept,
    schemaVersion: 2,
    mediaType: MediaType.DockerManifest,
    config: { mediaType: MediaType.DockerConfig, ...parts.config },
    layers: parts.layers.map(({ digest, size, mediaType, ...rest }) => {
      const { annotations: _, ...members } = rest
      return { ...members, mediaType: dockerLayerType(mediaType), digest, size }
    }),
  }
}

const DOCKER_TYPE: Readonly<Record<string, string>> = {
  [MediaType.OciLayer]: MediaType.DockerLayer,
  [MediaType.OciLayerGzip]: MediaType.DockerLayerGzip,
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': MediaType.DockerForeignLayerGzip,
}

function dockerLayerType(mediaType: string): string {
  const type = DOCKER_TYPE[mediaType] ?? mediaType
  if (type.startsWith('application/vnd.docker.')) return type
  throw refuse(`Docker has no media type for a layer of ${mediaType}: convert its compression to gzip`)
}

function refuse(message: string): FormatError {
  return new FormatError('ERR_INVALID_ARGUMENT', message)
}
