import type { AbortOptions } from '../../internal/abort.ts'
import type { DerivedStore } from '../../store/index.ts'
import type { LayerIndex } from '../layer-index.ts'
import { IndexColumns, type IndexFacts } from './index-columns.ts'

/**
 * Stores an index as derived data for later reads.
 *
 * @internal
 */
export async function keepIndex(derived: DerivedStore, index: LayerIndex, options: AbortOptions): Promise<void> {
  const columns = new IndexColumns()
  for (const entry of index.entries) columns.add(entry)
  await keepColumns(derived, columns, index, options)
}

/** The same for entries that were encoded one by one. */
export async function keepColumns(
  derived: DerivedStore,
  columns: IndexColumns,
  facts: IndexFacts,
  options: AbortOptions,
): Promise<void> {
  await derived.set('indexes', facts.diffId, columns.encode(facts), options)
}
