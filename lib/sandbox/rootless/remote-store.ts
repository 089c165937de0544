import type { Store } from '../../store/index.ts'
import type { Channel } from './channel/channel.ts'

/** Members of a store that unpacking layers and opening views needs. */
type ReadStore = Pick<Store, 'read' | 'stat' | 'derived'>

/**
 * The store of the process that started this one, as far as snapshots need it. Reads are verified there.
 *
 * @param id - Number that the other side has given to the store.
 */
export function remoteStore(channel: Channel, id: number): Store {
  const derived: Store['derived'] = {
    get: (kind, key, { signal } = {}) => channel.call('derived.get', { id, args: [kind, key] }, { signal }),
    set: (kind, key, bytes, { signal } = {}) =>
      channel.call('derived.set', { id, args: [kind, key, bytes] }, { signal }),
    list: (kind, { signal } = {}) => channel.call('derived.list', { id, args: [kind] }, { signal }),
    delete: (kind, key, { signal } = {}) => channel.call('derived.delete', { id, args: [kind, key] }, { signal }),
  }
  const store: ReadStore = {
    read: (digest, { signal, ...options } = {}) => channel.read('store.read', { id, digest, options }, { signal }),
    stat: (digest, { signal } = {}) => channel.call('store.stat', { id, args: [digest] }, { signal }),
    derived,
  }
  return store as Store
}
