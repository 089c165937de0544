import type { UploadMemory } from '../../../registry/index.ts'
import type { DerivedStore } from '../../../store/index.ts'

/**
 * Keeps the state of unfinished uploads among the facts of a store. A failed write is ignored: the next push then
 * starts that upload from the beginning.
 *
 * @see {@link UploadMemory}
 */
export function uploadsIn(derived: DerivedStore): UploadMemory {
  return {
    get: key => derived.get('facts', key).catch(() => undefined),
    set: (key, bytes) => derived.set('facts', key, bytes).catch(() => undefined),
    delete: key => derived.delete('facts', key).catch(() => undefined),
  }
}
