import { digestOf } from '../../lib/digest/index.ts'
import { checkStore, planCollection, readStoreUsage, repairStore, runCollection } from '../../lib/maintenance/index.ts'
import type { Descriptor } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { readAll } from './read-all.ts'
import { UNFINISHED_KEY, USED_LAYER } from './used-store.ts'

/** Outcome of each operation: its result or its error. */
export type Outcomes = Record<string, { readonly result?: unknown; readonly error?: unknown }>

/** Runs every operation of a store, regardless of the outcome of earlier ones, and closes the store. */
export async function everyStoreAct(store: Store, manifest: Descriptor): Promise<Outcomes> {
  const layer = await digestOf(Buffer.from(USED_LAYER))
  const outcomes: Outcomes = {}
  const acts: Record<string, () => Promise<unknown>> = {
    get: () => store.references.get('app:1'),
    list: () => all(store.references.list()),
    stat: () => store.stat(layer),
    read: async () => (await readAll(store.read(layer))).toString(),
    blobs: () => all(store.list()),
    put: () => store.put(Buffer.from('something new')),
    putKnown: () => store.put(Buffer.from(USED_LAYER), { digest: layer, size: USED_LAYER.length }),
    statIngest: () => store.statIngest!(UNFINISHED_KEY),
    resume: () => ingest(store, UNFINISHED_KEY),
    ingest: () => ingest(store, 'a new ingest'),
    set: () => store.references.set('app:2', manifest),
    hold: () => holdAndRelease(store, layer),
    touch: () => store.leases.touch(layer),
    leases: () => all(store.leases.list()),
    facts: () => useDerived(store, 'facts', `sources:${layer}`),
    indexes: () => useDerived(store, 'indexes', layer),
    usage: () => readStoreUsage(store),
    collect: async () => runCollection(store, await planCollection(store, { graceMs: 0, force: true })),
    check: () => checkStore(store, { quarantine: true }),
    repair: async () => repairStore(store, await checkStore(store), []),
    remove: () => store.references.delete('app:2'),
    delete: () => store.delete(layer),
    close: () => store.close(),
  }
  for (const [name, act] of Object.entries(acts)) {
    outcomes[name] = await act().then(
      result => ({ result }),
      error => ({ error }),
    )
  }
  return outcomes
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function ingest(store: Store, key: string): Promise<unknown> {
  await using writer = await store.ingest(key)
  await writer.write(Buffer.from('and some more'))
  return writer.commit()
}

async function holdAndRelease(store: Store, layer: Awaited<ReturnType<typeof digestOf>>): Promise<void> {
  const lease = await store.leases.hold({ digests: [layer] })
  await lease.add(layer)
  await lease.renew()
  await lease.release()
}

async function useDerived(store: Store, kind: 'facts' | 'indexes', key: string): Promise<unknown> {
  const before = await store.derived.get(kind, key)
  await store.derived.set(kind, key, Buffer.from('{}'))
  await store.derived.list(kind)
  await store.derived.delete(kind, key)
  return before
}
