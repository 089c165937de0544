import type { AbortOptions } from '../../internal/abort.ts'
import type { DerivedStore } from '../../store/index.ts'
import type { LayerIndex } from '../layer-index.ts'
import { encodeIndex } from './encode-index.ts'

/**
 * Keeps an index for whoever asks for it next.
 *
 * @internal
 */
export async function keepIndex(derived: DerivedStore, index: LayerIndex, options: AbortOptions): Promise<void> {
  await derived.set('indexes', index.diffId, encodeIndex(index), options)
}
