import { verifyBytes } from '../../digest/index.ts'
import { BlobNotFoundError, DigestMismatchError, RegistryError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import {
  assertLayersAgree,
  type Descriptor,
  type ImageManifest,
  isImageManifest,
  Limits,
  parseImageDocument,
} from '../../oci/index.ts'
import type { TransferSource } from '../endpoints/transfer-source.ts'
import type { PlanStep } from '../plan.ts'

/** Reads the documents of the images. */
export interface ImageReader {
  /** Reads a manifest that moves. */
  manifest(step: PlanStep): Promise<Uint8Array>
  /** Reads an image config; resolves to `undefined` if neither end has it. */
  config(descriptor: Descriptor): Promise<Uint8Array | undefined>
}

/**
 * Rejects images whose config and manifest list different numbers of layers: they cannot be unpacked.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG`.
 */
export async function assertImagesAgree(steps: readonly PlanStep[], reader: ImageReader): Promise<void> {
  for (const step of steps) {
    if (step.kind !== 'manifest' || step.need === 'present') continue
    const manifest = imageIn(await reader.manifest(step), step.descriptor)
    const config = manifest && (await reader.config(manifest.config))
    if (config) assertLayersAgree(manifest, config)
  }
}

function imageIn(bytes: Uint8Array, { mediaType }: Descriptor): ImageManifest | undefined {
  const document = parseImageDocument(bytes, mediaType)
  return document.kind === 'manifest' && isImageManifest(document.manifest) ? document.manifest : undefined
}

/**
 * Reads an image config at the source. Resolves to `undefined` if the source does not have it: the target may have it,
 * and reports it missing otherwise.
 *
 * @throws the errors of the source; {@link DigestMismatchError} if the source returns wrong bytes twice.
 */
export async function readConfig(
  source: TransferSource,
  descriptor: Descriptor,
  options: AbortOptions,
): Promise<Uint8Array | undefined> {
  const read = () =>
    collectBytes(
      verifyBytes(source.readBlob(descriptor, { offset: 0, ...options }), descriptor),
      Limits.configBytes,
      'image config bytes',
    )
  try {
    return await read()
  } catch (error) {
    if (isNotThere(error)) return undefined
    if (error instanceof DigestMismatchError && source.distrust?.(descriptor.digest)) return read()
    throw error
  }
}

function isNotThere(error: unknown): boolean {
  if (error instanceof BlobNotFoundError) return true
  return error instanceof RegistryError && error.code === 'ERR_REMOTE_BLOB_NOT_FOUND'
}
