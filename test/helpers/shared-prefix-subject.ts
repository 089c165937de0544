import type { Digest } from '../../lib/digest/index.ts'
import { type OpenObjectStoreOptions, openObjectStore } from '../../lib/object-store/index.ts'
import type { BlobWriter, Store } from '../../lib/store/index.ts'
import type { StoreSubject } from '../../lib/testing/index.ts'
import { damageInBucket } from './bucket-subject.ts'

/** Cases that assume to be alone with the store, each with the reason. */
const ALONE = {
  'names returns the same array until a name is added or deleted': 'other processes add and delete names meanwhile',
  'checkStore finds a sound store sound, and changes nothing': 'other processes damage blobs on purpose',
  'checkStore reports a missing blob with the path of references to it': 'the report tells the names in the bucket',
  'repairStore fetches missing blobs, and no others': 'other processes miss blobs on purpose, which nothing can repair',
  'repairStore replaces a corrupt blob with an intact copy': 'the repair would take the damage of other cases away',
  'five hundred concurrent sets all succeed': 'each list of names would read thousands; eight processes set 200 each',
}

/** One process of several that run the suite over one store in a bucket. */
export interface SharedPrefix {
  readonly subject: StoreSubject
  /** Digests that the calls of all cases have acknowledged. */
  readonly acknowledged: ReadonlySet<Digest>
}

/** What is the own of one case. */
interface Own {
  /** Ends its names and keys. */
  readonly ending: string
  readonly blobs: Set<Digest>
  readonly names: Set<string>
}

/** A name of any process, which has kept the ending. */
const ENDED = /-p\d+c\d+/

/**
 * A subject over one store that other processes use too. All cases have bytes, names and keys of their own, as nothing
 * is empty: a case sees as its blobs those that its calls have acknowledged.
 */
export function sharedPrefixSubject(place: OpenObjectStoreOptions, process: number): SharedPrefix {
  const acknowledged = new Set<Digest>()
  let [own, count]: [Own, number] = [{ ending: '', blobs: new Set(), names: new Set() }, 0]
  const open = async (options: { readOnly?: boolean } = {}) =>
    apart(await openObjectStore({ ...place, ...options }), own)
  const subject: StoreSubject = {
    seed: `process ${process}`,
    foreign: { blob: digest => !own.blobs.has(digest), name: name => ENDED.test(name) },
    without: ALONE,
    create() {
      own = { ending: `-p${process}c${count++}`, blobs: new Set(), names: new Set() }
      return open()
    },
    reopen: () => open(),
    reopenReadOnly: () => open({ readOnly: true }),
    damage: (_, digest, how) => damageInBucket(place, digest, how),
    async destroy() {
      for (const digest of own.blobs) acknowledged.add(digest)
      await using store = await openObjectStore(place)
      for (const name of own.names) await store.references.delete(name)
    },
  }
  return { subject, acknowledged }
}

/** Wraps a store: names and keys get the ending of the case, and digests that calls acknowledge are noted. */
function apart(store: Store, { ending, blobs, names }: Own): Store {
  const outer = (name: string) => name.replace(/^(?:.*\/)?[^/:@]+/, `$&${ending}`)
  const inner = (name: string) => name.replace(ending, '')
  const { references, derived } = store
  return over(store, {
    async put(...args: Parameters<Store['put']>) {
      const blob = await store.put(...args)
      blobs.add(blob.digest)
      return blob
    },
    async ingest(key: string, options?: Parameters<Store['ingest']>[1]) {
      const writer = await store.ingest(ownKey(key, ending), options)
      return over<BlobWriter>(writer, {
        async commit(expected?: Parameters<BlobWriter['commit']>[0]) {
          const blob = await writer.commit(expected)
          blobs.add(blob.digest)
          return blob
        },
      })
    },
    references: over(references, {
      names: undefined,
      get: (name: string) => references.get(outer(name)),
      delete: (name: string) => references.delete(outer(name)),
      async set(name: string, ...rest: [never, never]) {
        const kept = await references.set(outer(name), ...rest)
        names.add(kept)
        return inner(kept)
      },
      async *list() {
        for await (const named of references.list()) yield { ...named, name: inner(named.name) }
      },
    }),
    derived: over(derived, {
      get: (kind: never, key: string) => derived.get(kind, `${key}${ending}`),
      set: (kind: never, key: string, bytes: Uint8Array) => derived.set(kind, `${key}${ending}`, bytes),
      delete: (kind: never, key: string) => derived.delete(kind, `${key}${ending}`),
    }),
  })
}

/** A key of the same length if it is as long as keys may be; an invalid key stays so. */
function ownKey(key: string, ending: string): string {
  if (typeof key !== 'string' || key === '' || key.length > 512) return key
  return `${key.slice(0, 512 - ending.length)}${ending}`
}

/** An object with some members replaced. */
function over<T extends object>(target: T, members: object): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name)
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
