import { FormatError } from '../errors/index.ts'
import { type Descriptor, familiarName, isRepositoryPath, parseReference } from '../spec/index.ts'
import type { NamedDescriptor, Store } from '../store/index.ts'

/** A name of the store as the registry serves it. */
export interface ServedName extends NamedDescriptor {
  readonly repository: string
  readonly tag: string
}

/**
 * The names of the store that have a repository and a tag. Left out are names of other tools that are no references,
 * names with a digest, and those of registries with a port, which no repository can be called.
 */
export async function* servedNames(store: Store, signal: AbortSignal): AsyncGenerator<ServedName, void, undefined> {
  for await (const named of store.references.list({ signal })) {
    const served = servedAs(named.name)
    if (served) yield { ...named, ...served }
  }
}

function servedAs(name: string): { repository: string; tag: string } | undefined {
  try {
    const { tag, digest, ...rest } = parseReference(name)
    const repository = familiarName(rest)
    return tag !== undefined && digest === undefined && isRepositoryPath(repository) ? { repository, tag } : undefined
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

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
  for await (const name of servedNames(store, signal)) {
    if (name.repository === repository && name.tag === tag) return name.descriptor
  }
  return undefined
}
