import type { Descriptor } from '../../spec/index.ts'
import type { Store } from '../../store/index.ts'
import { nameTableOf } from './name-table.ts'

/** What a tag stands for, whichever way the store spells it. */
export async function findTag(
  store: Store,
  repository: string,
  tag: string,
  signal: AbortSignal,
): Promise<Descriptor | undefined> {
  const direct = await store.references.get(`${repository}:${tag}`, { signal })
  if (direct) return direct
  // Other tools write `docker.io/library/node:22` or `node` into the same index.
  const [name] = await nameTableOf(store).namesOf(repository, tag, signal)
  return name === undefined ? undefined : store.references.get(name, { signal })
}
