import { expect, test } from 'vitest'
import { diffTrees, writeDiffLayer, writeLayer } from '../../lib/layer/index.ts'
import { flattenImage, openUnionView, squashLayers, type UnionView, UnionViews } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { layerStacks } from '../helpers/arbitrary-layers.ts'
import { dumpView } from '../helpers/dump-view.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { NaiveFault, NaiveRootfs } from '../helpers/naive-rootfs.ts'
import type { RawEntry } from '../helpers/raw-tar.ts'
import { storeLayers } from '../helpers/store-layers.ts'

const runs = { numRuns: cases(400) }

/** Result of the model for these layers: their tree, or the code of its error. */
function modelOf(layers: RawEntry[][]): { dump: string[] } | { code: string } {
  const model = new NaiveRootfs()
  try {
    for (const layer of layers) model.unpack(layer)
    return { dump: model.dump() }
  } catch (error) {
    if (error instanceof NaiveFault) return { code: error.code }
    throw error
  }
}

/** The layers of a stack that the model can unpack, from the lowest up. */
function soundPart(layers: RawEntry[][]): RawEntry[][] {
  const sound: RawEntry[][] = []
  for (const layer of layers) {
    sound.push(layer)
    if ('code' in modelOf(sound)) sound.pop()
  }
  return sound
}

test('a union view shows what a naive model has after unpacking the layers in order', async () => {
  const seen = { sound: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(layerStacks, async layers => {
      await using store = createMemoryStore()
      const expected = modelOf(layers)
      const stored = await storeLayers(store, layers)
      const opening = openUnionView(store, stored)
      if ('code' in expected) {
        seen.refused++
        await expect(opening).rejects.toMatchObject({ code: expected.code })
      } else {
        seen.sound++
        const view = await opening
        expect(dumpView(view)).toEqual(expected.dump)
        expect(view.entries).toBe(expected.dump.length)
      }
    }),
    runs,
  )
  expect(seen.sound).toBeGreaterThan(seen.refused / 4)
})

test('views of more and more layers show what each shows alone, also after the others were opened', async () => {
  await fc.assert(
    fc.asyncProperty(layerStacks, async layers => {
      await using store = createMemoryStore()
      const stored = await storeLayers(store, soundPart(layers))
      const parts = stored.map((_, i) => stored.slice(0, i + 1))
      const views = new UnionViews(store)
      const opened: UnionView[] = []
      for (const part of parts) opened.push(await views.open(part))
      const alone = await Promise.all(parts.map(part => openUnionView(store, part)))
      expect(opened.map(dumpView)).toEqual(alone.map(dumpView))
    }),
    runs,
  )
})

test('a flattened view is one layer that shows the same', async () => {
  await fc.assert(
    fc.asyncProperty(layerStacks, async layers => {
      await using store = createMemoryStore()
      const view = await openUnionView(store, await storeLayers(store, soundPart(layers)))
      const flat = await writeLayer(store, flattenImage(view), { compression: 'none' })
      expect(dumpView(await openUnionView(store, [flat]))).toEqual(dumpView(view))
    }),
    runs,
  )
})

test('squashing any layers of a stack leaves the view as it was', async () => {
  const places = fc.tuple(fc.nat(3), fc.nat(3))
  await fc.assert(
    fc.asyncProperty(layerStacks, places, async (layers, [one, other]) => {
      await using store = createMemoryStore()
      const stored = await storeLayers(store, soundPart(layers))
      if (stored.length === 0) return
      const [from, to] = [one, other].map(place => place % stored.length).sort() as [number, number]
      const squashed = await squashLayers(store, stored, { layers: { from, to }, compression: 'none' })
      expect(squashed.layers).toHaveLength(stored.length - (to - from))
      const before = await openUnionView(store, stored)
      expect(dumpView(await openUnionView(store, squashed.layers))).toEqual(dumpView(before))
    }),
    runs,
  )
})

test('the difference of two views, put on the lower one, makes the upper one', async () => {
  await fc.assert(
    fc.asyncProperty(layerStacks, layerStacks, fc.boolean(), async (one, other, parents) => {
      await using store = createMemoryStore()
      const lowerLayers = await storeLayers(store, soundPart(one))
      const lower = await openUnionView(store, lowerLayers)
      const upper = await openUnionView(store, await storeLayers(store, soundPart(other)))
      const diff = await diffTrees(lower, upper)
      const layer = await writeDiffLayer(store, diff, upper, { compression: 'none', parents })
      const made = await openUnionView(store, [...lowerLayers, layer])
      expect(dumpView(made)).toEqual(dumpView(upper))
      expect(await diffTrees(made, upper)).toEqual({ added: [], modified: [], metadataOnly: [], deleted: [] })
    }),
    runs,
  )
})
