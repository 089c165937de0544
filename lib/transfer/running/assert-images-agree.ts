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

/** Where the documents of the images are read. */
export interface ImageReader {
  /** The bytes of a manifest that moves. */
  manifest(step: PlanStep): Promise<Uint8Array>
  /** The bytes of an image config; `undefined` if it is nowhere. */
  config(descriptor: Descriptor): Promise<Uint8Array | undefined>
}

/**
 * Refuses images whose config lists another number of layers than their manifest: nothing could unpack them.
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
 * The bytes of an image config at a source; `undefined` if it is not there: the target may have it, and says so itself.
 *
 * @throws what the source throws; {@link DigestMismatchError} if it gives wrong bytes twice.
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
