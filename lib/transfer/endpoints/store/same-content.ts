import type { Descriptor } from '../../../oci/index.ts'
import { layersOfDiffId, readDocument, type Store } from '../../../store/index.ts'
import type { PlanStep } from '../../plan.ts'
import { diffIdsOf } from './record-facts.ts'

/**
 * Adds to each layer that is to be fetched the stored blob with the same content in another compression. The layer is
 * fetched all the same, because the manifest names it by digest. The function reads the image config if the store has
 * it, and does not fetch it: a recompressed image has the same config, so a store that holds the other compression
 * holds the config too.
 */
export async function withSameContent(
  store: Store,
  steps: readonly PlanStep[],
  documents: ReadonlyMap<string, Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<PlanStep[]> {
  const missing = new Set(steps.filter(isLayerToFetch).map(({ descriptor }) => descriptor.digest))
  if (missing.size === 0) return [...steps]
  const read = (document: Descriptor) => known(store, documents, document, signal)
  const notes = new Map<string, Descriptor['digest']>()
  for (const { kind, descriptor } of steps) {
    if (kind !== 'manifest') continue
    for (const { layer, diffId } of await diffIdsOf(descriptor, read)) {
      const other = missing.has(layer.digest) && (await storedLayer(store, layer, diffId, signal))
      if (other) notes.set(layer.digest, other)
    }
  }
  signal?.throwIfAborted()
  return steps.map(step => noted(step, notes.get(step.descriptor.digest)))
}

function isLayerToFetch({ kind, need }: PlanStep): boolean {
  return kind === 'layer' && need === 'fetch'
}

async function known(
  store: Store,
  documents: ReadonlyMap<string, Uint8Array>,
  document: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  return documents.get(document.digest) ?? readDocument(store, document, { signal })
}

async function storedLayer(
  store: Store,
  { digest }: Descriptor,
  diffId: Descriptor['digest'],
  signal: AbortSignal | undefined,
): Promise<Descriptor['digest'] | undefined> {
  for (const fact of await layersOfDiffId(store, diffId, { signal })) {
    if (fact.digest !== digest && (await store.stat(fact.digest, { signal }))) return fact.digest
  }
  return undefined
}

function noted(step: PlanStep, sameDiffIdAs: Descriptor['digest'] | undefined): PlanStep {
  if (sameDiffIdAs === undefined || !isLayerToFetch(step)) return step
  const reason = `${step.reason}; same diffID under another compression: ${sameDiffIdAs}`
  return { ...step, reason, sameDiffIdAs }
}
