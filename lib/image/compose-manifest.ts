import { assertOptionalAnnotations, assertOptions } from '../internal/assert-kind.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'
import { type Descriptor, type ImageManifest, MediaType, parseDescriptor } from '../oci/index.ts'

/** Input of {@link composeManifest}. */
export interface ComposeManifestInput {
  /** The config blob. */
  readonly config: Descriptor
  /** The layer blobs, lowest first. */
  readonly layers: readonly Descriptor[]
  /** Annotations of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

const OCI_TYPE: Readonly<Record<string, string>> = {
  [MediaType.DockerConfig]: MediaType.OciConfig,
  [MediaType.DockerLayer]: MediaType.OciLayer,
  [MediaType.DockerLayerGzip]: MediaType.OciLayerGzip,
  [MediaType.DockerForeignLayerGzip]: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
}

/**
 * Composes an OCI image manifest. Pure. Docker layers keep their bytes and get the OCI media type of the same kind: a
 * manifest should not mix both families.
 *
 * @example
 * ```ts
 * const config = { mediaType: MediaType.OciConfig, ...(await store.put(bytes)) }
 * const manifest = composeManifest({ config, layers: [layer.descriptor] })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_DESCRIPTOR` with the path of the fault, `ERR_INVALID_ARGUMENT`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md | image-spec: manifest}
 */
export function composeManifest(input: ComposeManifestInput): ImageManifest {
  assertOptions(input)
  const { annotations } = input
  if (!Array.isArray(input.layers)) throw invalidArgument('layers', 'a list of descriptors', input.layers)
  const config = parseDescriptor(input.config, 'config')
  const layers = input.layers.map((layer, i) => parseDescriptor(layer, `layers[${i}]`))
  assertOptionalAnnotations('annotations', annotations)
  return {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config: asOci(config),
    layers: layers.map(asOci),
    ...(annotations && Object.keys(annotations).length > 0 ? { annotations } : {}),
  }
}

function asOci(descriptor: Descriptor): Descriptor {
  return { ...descriptor, mediaType: OCI_TYPE[descriptor.mediaType] ?? descriptor.mediaType }
}
