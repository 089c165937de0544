import type { ReadBlobOptions, Store } from '../../store/index.ts'
import type { CallContext, Handlers } from './channel/responder.ts'

/** Stores and archives that the process in the namespace may read by a number. */
export class OfferedStores {
  readonly #numbers = new WeakMap<Store, number>()
  readonly #stores = new Map<number, Store>()
  readonly #archives = new Map<number, () => AsyncIterable<Uint8Array>>()
  #last = 0

  /** Returns the number of a store, the same for each call. */
  store(store: Store): number {
    const id = this.#numbers.get(store) ?? ++this.#last
    this.#numbers.set(store, id)
    this.#stores.set(id, store)
    return id
  }

  /** Offers an archive while a function runs. */
  async withArchive<T>(open: () => AsyncIterable<Uint8Array>, act: (id: number) => Promise<T>): Promise<T> {
    const id = ++this.#last
    this.#archives.set(id, open)
    try {
      return await act(id)
    } finally {
      this.#archives.delete(id)
    }
  }

  /** Calls and streams of the other side. */
  get handlers(): Handlers {
    type Named<K extends keyof Store['derived']> = { id: number; args: Parameters<Store['derived'][K]> }
    return {
      calls: {
        'store.stat': ({ id, args }: { id: number; args: Parameters<Store['stat']> }) => this.#at(id).stat(args[0]),
        'derived.get': ({ id, args: [kind, key] }: Named<'get'>) => this.#at(id).derived.get(kind, key),
        'derived.set': ({ id, args: [kind, key, bytes] }: Named<'set'>) => this.#at(id).derived.set(kind, key, bytes),
        'derived.list': ({ id, args: [kind] }: Named<'list'>) => this.#at(id).derived.list(kind),
        'derived.delete': ({ id, args: [kind, key] }: Named<'delete'>) => this.#at(id).derived.delete(kind, key),
      },
      streams: {
        'store.read': (
          { id, digest, options }: { id: number; digest: Parameters<Store['read']>[0]; options: ReadBlobOptions },
          { signal }: CallContext,
        ) => this.#at(id).read(digest, { ...options, signal }),
        archive: ({ id }: { id: number }) => {
          const open = this.#archives.get(id)
          if (!open) throw new Error('the archive is closed')
          return open()
        },
      },
    }
  }

  #at(id: number): Store {
    const store = this.#stores.get(id)
    if (!store) throw new Error('the store is closed')
    return store
  }
}
