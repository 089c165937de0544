import type { AbortOptions } from '../../internal/abort.ts'
import { lazyListOf } from '../../internal/memory/lazy-list.ts'
import type { TarInput } from '../../tar/index.ts'
import { IndexColumns } from '../indexing/index-columns.ts'
import { collectKnown } from './collect-known.ts'
import { type LayerLayout, layOut } from './layer-layout.ts'

/** The layout of a layer of known entries, and its index. */
export interface KnownLayer {
  readonly layout: LayerLayout
  /** Absent if no index is wanted. */
  readonly columns: IndexColumns | undefined
}

/** Computes the layout of a layer if all entries are known; otherwise returns a stream of them. Reads no content. */
export async function layOutKnown(
  entries: Iterable<TarInput> | AsyncIterable<TarInput>,
  { index, signal }: AbortOptions & { readonly index?: boolean | undefined },
): Promise<KnownLayer | { readonly stream: Iterable<TarInput> | AsyncIterable<TarInput> }> {
  const list = await lazyListOf(entries)
  const collected = list ? { known: list } : await collectKnown(entries)
  if ('stream' in collected) return collected
  const columns = index === false ? undefined : new IndexColumns()
  const layout = await layOut(collected.known, columns, { signal })
  return layout ? { layout, columns } : { stream: entries }
}
