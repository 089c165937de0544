import { FormatError } from '../../../errors/index.ts'
import { isConfigType, isForeignLayerType, isLayerType, parseConfig, parseImageDocument } from '../../../spec/index.ts'
import { readDocument, type Store } from '../../../store/index.ts'
import type { PlanStep } from '../../plan.ts'

/**
 * Refuses images whose config lists another number of layers than their manifest: nobody could unpack them.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG`.
 */
export async function checkConfigs(
  store: Store,
  steps: readonly PlanStep[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { kind, descriptor, need } of steps) {
    if (kind !== 'manifest' || need === 'present') continue
    const document = parseImageDocument(await readDocument(store, descriptor, { signal }), descriptor.mediaType)
    if (document.kind !== 'manifest' || !isConfigType(document.manifest.config.mediaType)) continue
    const { config, layers } = document.manifest
    // Artifacts borrow the type of image configs; what has other layers than images is one.
    if (!layers.every(({ mediaType }) => isLayerType(mediaType) || isForeignLayerType(mediaType))) continue
    const listed = await diffIdsIn(await readDocument(store, config, { signal }))
    if (listed === undefined || listed === layers.length) continue
    const message = `image config ${config.digest} lists ${listed} layers, its manifest ${layers.length}`
    throw new FormatError('ERR_INVALID_CONFIG', message, { at: 'rootfs.diff_ids' })
  }
}

async function diffIdsIn(bytes: Uint8Array): Promise<number | undefined> {
  try {
    return parseConfig(bytes).rootfs.diff_ids.length
  } catch {
    // Copying works for everything; whoever reads the config will be told what is wrong with it.
    return undefined
  }
}
