import { isDigest } from '../../../digest/index.ts'
import { ReferenceNotFoundError, RegistryError } from '../../../errors/index.ts'
import type { Store } from '../../../store/index.ts'
import type { PlannedTag, TagRemovalPlan } from '../../../transfer/index.ts'
import { parseAmount } from '../../amounts/parse-amount.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { nameInStore } from '../../places/name-place.ts'
import { formatTable } from '../../printing/format-table.ts'
import type { Session } from '../../session/session.ts'

/** Options of `rm`. */
export interface RemoveOptions {
  readonly remote?: boolean
  readonly keepLast?: string
  readonly match?: string
  readonly digests?: boolean
  readonly dryRun?: boolean
}

/** `rm NAME…`: removes names from the store; `rm --remote REF…`: tags and digests from a registry. */
export async function remove(session: Session, names: readonly string[], options: RemoveOptions): Promise<void> {
  const { keepLast, match, digests, dryRun } = options
  const remote = options.remote ?? names.every(name => name.startsWith('docker://'))
  for (const [option, value] of Object.entries({ '--match': match, '--digests': digests, '--dry-run': dryRun })) {
    if (value !== undefined && keepLast === undefined) throw new UsageError(`${option} belongs to --keep-last`)
  }
  if (keepLast !== undefined && !remote) throw new UsageError('--keep-last belongs to --remote; for the store see gc')
  if (!remote) return removeNames(session, names)
  const references = names.map(name => name.replace(/^docker:\/\//, ''))
  if (keepLast === undefined) return removeReferences(session, references)
  const [repository, another] = references
  if (!repository || another) throw new UsageError('--keep-last takes one repository')
  return removeOldTags(session, repository, { ...options, keepLast })
}

/** Removes names (tags) of the store; `gc` removes their blobs later. If one name does not exist, none is removed. */
async function removeNames(session: Session, given: readonly string[]): Promise<void> {
  const { namesRegistry } = await import('../../../oci/index.ts')
  const plain = given.map(nameInStore)
  if (plain.every(namesRegistry)) session.advice = 'for a tag in a registry add --remote'
  const store = await session.store({ create: false })
  const { signal } = session
  const names = plain.some(isDigest) ? await namesOf(store, plain, signal) : plain
  const isName = async (name: string) => (await store.references.get(name, { signal })) !== undefined
  const found = await Promise.all(names.map(isName))
  // No name fits: they may be containers, as for `docker rm`. A store in a bucket has none.
  const mayBeContainers = !found.includes(true) && !session.isStoreShared
  const containers = mayBeContainers ? await containerIds(store) : []
  if (names.every(name => containers.includes(name))) {
    session.advice = undefined
    return (await import('../running/containers.ts')).removeContainers(session, names, {})
  }
  const missing = names.find((name, i) => !found[i] && !containers.includes(name))
  const kind = mayBeContainers ? 'image or container' : 'image'
  if (missing !== undefined && isDigest(missing)) throw new ReferenceNotFoundError(missing, { kind: 'named image' })
  if (missing !== undefined) throw new ReferenceNotFoundError(missing, { kind })
  session.advice = undefined
  for (const name of names) await store.references.delete(name, { signal })
  session.result(names, { removed: names })
}

/** Replaces each digest that one name leads to by this name, so that `rm $(images -q)` works as docker's does. */
async function namesOf(store: Store, given: readonly string[], signal: AbortSignal | undefined): Promise<string[]> {
  const named = new Map<string, string[]>(given.filter(isDigest).map(digest => [digest, []]))
  for await (const { name, descriptor } of store.references.list({ signal })) named.get(descriptor.digest)?.push(name)
  return given.map(one => {
    const [name = one, ...others] = named.get(one) ?? []
    if (others.length === 0) return name
    throw new UsageError(`${one} has several names: write which to remove of ${[name, ...others].join(', ')}`)
  })
}

async function containerIds(store: Store): Promise<string[]> {
  const { listContainers } = await import('../../../sandbox/index.ts')
  return (await listContainers(store)).map(({ id }) => id)
}

async function removeReferences(session: Session, names: readonly string[]): Promise<void> {
  const { parseReference } = await import('../../../oci/index.ts')
  const references = names.map(name => ({ name, ...parseReference(name) }))
  for (const { name, tag, digest } of references) {
    // `REPOSITORY` alone would mean the tag latest, which the user did not write.
    if (digest === undefined && !name.endsWith(`:${tag}`)) {
      throw new UsageError(`rm --remote takes REPOSITORY:TAG or REPOSITORY@DIGEST, not ${name}`)
    }
  }
  const registry = await session.registry()
  const { signal } = session
  for (const { name, registry: host, repository, tag, digest } of references) {
    const at = { registry: host, repository }
    const existed = digest
      ? await registry.deleteManifest(at, digest, { signal })
      : await registry.deleteTag(at, tag!, { signal })
    if (!existed) throw notFound(name)
    session.note(`${name}: removed`)
  }
  session.result(names, { removed: names })
}

function notFound(name: string): RegistryError {
  return new RegistryError('ERR_MANIFEST_NOT_FOUND', 'nothing to remove', { method: 'DELETE', url: name, status: 404 })
}

async function removeOldTags(
  session: Session,
  repository: string,
  { keepLast, match, digests, dryRun }: RemoveOptions & { readonly keepLast: string },
): Promise<void> {
  const { planTagRemoval, runTagRemoval } = await import('../../../transfer/index.ts')
  const registry = await session.registry()
  const { signal } = session
  const count = parseAmount('--keep-last', keepLast, 'count')
  const plan = await planTagRemoval(registry, repository, { keepLast: count, match, signal })
  if (dryRun) return session.result(tableOf(plan), plan)
  const result = await runTagRemoval(registry, plan, { digests, signal })
  for (const tag of result.moved) session.note(`${tag}: names another image now, left alone`)
  session.note(`${result.removed.length} tags removed, ${plan.keep.length} kept`)
  session.result(result.removed, result)
}

function tableOf({ keep, remove: going }: TagRemovalPlan): string[] {
  const row = (act: string) => (planned: PlannedTag) => {
    const { tag, digest, created = '-', reason } = planned
    return [act, tag, digest.slice(0, digest.indexOf(':') + 13), created, reason]
  }
  return formatTable(
    ['ACT', 'TAG', 'DIGEST', 'CREATED', 'WHY'],
    [...keep.map(row('keep')), ...going.map(row('remove'))],
  )
}
