import { type Digest, digestOf, splitDigest } from '../../../digest/index.ts'
import { DiffIdMismatchError, FormatError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { readLayerIndex } from '../../../layer/index.ts'
import {
  type Descriptor,
  isConfigType,
  isEncryptedLayerType,
  isForeignLayerType,
  isImageManifest,
  isLayerType,
  parseConfig,
  parseImageDocument,
} from '../../../oci/index.ts'
import { layerFact, readDocument, recordLayerFact, type Store } from '../../../store/index.ts'
import type { PlanStep } from '../../plan.ts'
import type { UnverifiedLayer } from '../transfer-target.ts'

interface ListedLayer {
  readonly layer: Descriptor
  readonly diffId: Digest
}

/**
 * Decompresses every layer and compares its digest with the diffID that the image config lists. Each layer is read
 * once; the same pass stores the index of its entries. Layers that were proven before are skipped. A layer that is no
 * tar (an attestation of BuildKit) is compared by its own digest.
 *
 * @returns the layers that could not be compared, each with the reason.
 * @throws {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`; {@link FormatError} `ERR_INVALID_CONFIG` if the config of
 * an image lists no diffIDs; and the errors of reading a layer.
 */
export async function checkDiffIds(
  store: Store,
  steps: readonly PlanStep[],
  signal: AbortSignal | undefined,
): Promise<UnverifiedLayer[]> {
  const unverified: UnverifiedLayer[] = []
  for (const { kind, descriptor } of steps) {
    if (kind !== 'manifest') continue
    for (const listed of await listedLayers(store, descriptor, { signal })) {
      const reason = await verify(store, listed, { signal })
      const { digest, mediaType } = listed.layer
      if (reason !== undefined) unverified.push({ digest, mediaType, reason })
    }
  }
  return unverified
}

/** Returns the layers of an image with their diffIDs, and an empty list for any other document. */
async function listedLayers(store: Store, descriptor: Descriptor, options: AbortOptions): Promise<ListedLayer[]> {
  const document = parseImageDocument(await readDocument(store, descriptor, options), descriptor.mediaType)
  if (document.kind !== 'manifest' || !isConfigType(document.manifest.config.mediaType)) return []
  const { config, layers } = document.manifest
  const diffIds = diffIdsIn(await readDocument(store, config, options))
  if (diffIds?.length === layers.length) return layers.map((layer, i) => ({ layer, diffId: diffIds[i] as Digest }))
  // An artifact may use the media type of an image config.
  if (!isImageManifest(document.manifest)) return []
  const message = `image config ${config.digest} lists no diffIDs, so nothing proves the layers of ${descriptor.digest}`
  throw new FormatError('ERR_INVALID_CONFIG', message, { at: 'rootfs.diff_ids' })
}

function diffIdsIn(config: Uint8Array): readonly Digest[] | undefined {
  try {
    return parseConfig(config).rootfs.diff_ids
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

/** Resolves to the reason if a layer could not be compared. */
async function verify(
  store: Store,
  { layer, diffId }: ListedLayer,
  options: AbortOptions,
): Promise<string | undefined> {
  const { digest, mediaType } = layer
  if (isEncryptedLayerType(mediaType)) return 'it is encrypted, and its diffID is that of the decrypted layer'
  if (isForeignLayerType(mediaType) && !(await store.stat(digest, options))) return 'registries do not hold it'
  if (!isLayerType(mediaType)) return compareItself(store, { layer, diffId }, options)
  const known = await layerFact(store, digest, options)
  if (known?.proven && known.diffId === diffId) return undefined
  await readLayerIndex(store, { descriptor: layer, diffId }, { rebuild: true, ...options })
  await recordLayerFact(store, { digest, diffId, proven: true })
}

/** SPEC: a diffID is the digest of the uncompressed content; a blob that is no tar is its own content. */
async function compareItself(
  store: Store,
  { layer: { digest }, diffId }: ListedLayer,
  options: AbortOptions,
): Promise<undefined> {
  const { algorithm } = splitDigest(diffId)
  const isSameAlgorithm = splitDigest(digest).algorithm === algorithm
  const actual = isSameAlgorithm ? digest : await digestOf(store.read(digest, options), { algorithm })
  if (actual !== diffId) throw new DiffIdMismatchError({ layer: digest, expected: diffId, actual })
}
