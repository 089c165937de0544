import type { Store } from '../../lib/store/index.ts'

/** The digests of all blobs of a store, sorted. */
export async function blobsOf(store: Store): Promise<string[]> {
  const digests: string[] = []
  for await (const { digest } of store.list()) digests.push(digest)
  return digests.sort()
}
