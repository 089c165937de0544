import type { AbortOptions } from '../internal/abort.ts'
import type { Store } from './store.ts'

/**
 * Resolves to every name of a store, in order. If the driver has `names`, it is the same array while the set of names
 * is unchanged.
 */
export async function namesIn(
  store: Pick<Store, 'references'>,
  options: AbortOptions = {},
): Promise<readonly string[]> {
  const { references } = store
  if (references.names) return references.names(options)
  const names: string[] = []
  for await (const { name } of references.list(options)) names.push(name)
  return names
}
