import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { nameTableOf } from './name-table.ts'

/** Resolves a tag in the store, in whatever spelling its name is stored. */
export async function findTag(
  store: Store,
  repository: string,
  tag: string,
  signal: AbortSignal,
): Promise<Descriptor | undefined> {
  const direct = await store.references.get(`${repository}:${tag}`, { signal })
  if (direct) return direct
  // skopeo and umoci write names as given into the index of a layout: `docker.io/library/node:22`, or `node` without a
  // tag.
  const [name] = await nameTableOf(store).namesOf(repository, tag, signal)
  return name === undefined ? undefined : store.references.get(name, { signal })
}
