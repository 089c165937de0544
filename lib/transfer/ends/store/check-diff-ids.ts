import { readLayerIndex } from '../../../layer/index.ts'
import { isForeignLayerType } from '../../../spec/index.ts'
import { layerFact, readDocument, recordLayerFact, type Store } from '../../../store/index.ts'
import type { PlanStep } from '../../plan.ts'
import { diffIdsOf } from './record-facts.ts'

/**
 * Opens every layer and compares what it holds with the diffID that the image config lists. One pass over each, which also
 * leaves the index of its entries for later. What was proven before is not proven again.
 *
 * @throws {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`, and what reading a layer throws.
 */
export async function checkDiffIds(
  store: Store,
  steps: readonly PlanStep[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { kind, descriptor } of steps) {
    if (kind !== 'manifest') continue
    const layers = await diffIdsOf(descriptor, document => readDocument(store, document, { signal }))
    for (const { layer, diffId } of layers) {
      if (isForeignLayerType(layer.mediaType) && !(await store.stat(layer.digest, { signal }))) continue
      const known = await layerFact(store, layer.digest, { signal })
      if (known?.proven && known.diffId === diffId) continue
      await readLayerIndex(store, { descriptor: layer, diffId }, { rebuild: true, signal })
      await recordLayerFact(store, { digest: layer.digest, diffId, proven: true })
    }
  }
}
