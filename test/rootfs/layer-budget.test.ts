import { describe, expect, test } from 'vitest'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { LayerBudget } from '../../lib/rootfs/layer-budget.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { RawEntry } from '../helpers/raw-tar.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { unpackCase } from '../helpers/unpack-case.ts'

/** The code of the error of a view and of unpacking; `undefined` for success. */
async function outcomes(layer: RawEntry[]): Promise<(string | undefined)[]> {
  await using store = createMemoryStore()
  const viewed = await storeLayers(store, [layer])
    .then(stored => openUnionView(store, stored))
    .then(
      () => undefined,
      (error: { code: string }) => error.code,
    )
  using unpacked = await unpackCase(() => [layer])
  return [viewed, unpacked.error?.code]
}

describe('the metadata of a layer’s entries has a limit, in a view and on disk', () => {
  const chain = (links: number): RawEntry[] => [
    { path: 'd/' },
    ...Array.from({ length: links }, (_, i) => ({ path: `l${i}`, link: `${'d/../'.repeat(300)}l${i + 1}` })),
    { path: `l${links}/` },
  ]
  const through = (entries: number): RawEntry[] =>
    Array.from({ length: entries }, (_, i) => ({ path: i % 2 ? `l0/${i}` : `d/${i}` }))

  test('links on the way', async () => {
    expect(await outcomes([...chain(26), ...through(20)])).toEqual([undefined, undefined])
    expect(await outcomes([...chain(26), ...through(160)])).toEqual(['ERR_TOO_MANY_LINKS', 'ERR_TOO_MANY_LINKS'])
    // The number of ordinary entries has no limit.
    const budget = new LayerBudget()
    for (let i = 0; i < 200_000; i++) {
      budget.addEntries(1)
      if (!budget.mayFollow('../usr/lib/x') || !budget.mayFollow('/run')) expect.unreachable()
    }
  })

  test('directories without an entry', async () => {
    const deep = (i: number) => ({ path: `${i}/${'d/'.repeat(549)}x` })
    const two = [deep(0), deep(1)]
    expect(await outcomes(two)).toEqual(['ERR_LIMIT_EXCEEDED', 'ERR_LIMIT_EXCEEDED'])
    // The sum over all entries of a layer allows them, in any order.
    expect(await outcomes([...two, ...Array.from({ length: 25 }, (_, i) => ({ path: `f${i}` }))])).toEqual([
      undefined,
      undefined,
    ])
  })
})

test('directories without an entry count for the entries of a view', async () => {
  await using store = createMemoryStore()
  const layers = await storeLayers(store, [[{ path: 'a/b/c/d' }]])
  expect((await openUnionView(store, layers, { maxEntries: 4 })).entries).toBe(4)
  await expect(openUnionView(store, layers, { maxEntries: 3 })).rejects.toMatchObject({
    code: 'ERR_LIMIT_EXCEEDED',
    limit: 3,
  })
})
