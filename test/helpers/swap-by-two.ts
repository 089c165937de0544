import { expect } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { putStoreImage } from './store-image.ts'

/** Two machines move a name at once, several times: each time one of them wins, and what it wrote is there. */
export async function swapByTwo(stores: readonly [Store, Store]): Promise<void> {
  let expected: Digest | null = null
  for (let turn = 0; turn < 4; turn++) {
    const before: Digest | null = expected
    const images = await Promise.all(stores.map((store, i) => putStoreImage(store, `image ${turn} of ${i}`)))
    const swaps: Promise<string>[] = stores.map((store, i) =>
      store.references.set('app:1', images[i]!.manifest, { expected: before }),
    )
    const settled: PromiseSettledResult<string>[] = await Promise.allSettled(swaps)
    const won = settled.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
    expect(won, JSON.stringify(settled)).toHaveLength(1)
    const lost = settled[1 - won[0]!]
    expect(lost).toMatchObject({ reason: { code: 'ERR_REFERENCE_CONFLICT' } })
    expected = images[won[0]!]!.manifest.digest
    for (const store of stores) expect((await store.references.get('app:1'))?.digest).toBe(expected)
  }
}
