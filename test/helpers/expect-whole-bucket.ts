import { expect } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { checkStore } from '../../lib/maintenance/index.ts'
import { openObjectStore } from '../../lib/object-store/index.ts'
import { assertComplete } from '../../lib/store/index.ts'
import type { FaultyBucket } from './faulty-bucket.ts'
import { readAll } from './read-all.ts'

/** Reads the bucket without the proxy. Expects two whole images, one with this layer, and nothing unfinished. */
export async function expectWholeBucket(
  { place, server }: FaultyBucket,
  layer: { readonly digest: Digest; readonly bytes: Buffer },
  garbage: readonly { readonly digest: Digest }[] = [],
): Promise<void> {
  await using store = await openObjectStore(place(server.endpoint))
  for (const { digest } of garbage) expect(await store.stat(digest)).toBeUndefined()
  expect((await readAll(store.read(layer.digest))).equals(layer.bytes)).toBe(true)
  for await (const { descriptor } of store.references.list()) await assertComplete(store, descriptor)
  // Each of two names has a layer, a configuration and a manifest.
  expect([...server.objects.keys()].filter(key => key.startsWith('blobs/'))).toHaveLength(6)
  expect([...server.uploads]).toEqual([])
  expect((await checkStore(store)).problems).toEqual([])
}
