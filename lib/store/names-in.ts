import type { AbortOptions } from '../internal/abort.ts'
import type { Store } from './store.ts'

/** Every name of a store, in order; the same array as long as no name comes or goes, if the driver can tell. */
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
