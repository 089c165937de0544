import type { Store } from '../../lib/store/index.ts'

/** Resolves when the next ingest of a store has written its first bytes. */
export function uploadedBytes(store: Store): Promise<void> {
  const { ingest } = store
  return new Promise(resolve => {
    store.ingest = async (...args) => {
      store.ingest = ingest
      const writer = await ingest.apply(store, args)
      const { write } = writer
      writer.write = async chunk => {
        await write.call(writer, chunk)
        resolve()
      }
      return writer
    }
  })
}
