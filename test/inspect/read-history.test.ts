import { beforeEach, describe, expect, test } from 'vitest'
import { composeImage } from '../../lib/image/index.ts'
import { readHistory } from '../../lib/inspect/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import type { HistoryEntry } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})

/** An image of layers with one file each, whose config has exactly this history. */
async function imageWith(sizes: readonly number[], history: readonly HistoryEntry[] | undefined) {
  const layers = []
  for (const [i, size] of sizes.entries()) {
    layers.push(await writeLayer(store, [{ path: `f${i}`, type: 'file', content: Buffer.alloc(size) }]))
  }
  const image = await composeImage(store, { layers })
  const { history: _, ...config } = image.config
  return { ...image, config: { ...config, ...(history && { history }) } }
}

describe('readHistory', () => {
  test('joins each step with the layer that it made, oldest first', async () => {
    const image = await imageWith(
      [10, 20],
      [{ created_by: 'a' }, { created_by: 'b', empty_layer: true }, { comment: 'c' }],
    )
    const steps = await readHistory(store, image)
    expect(steps.map(step => [step.created_by, step.comment, step.layer?.index, step.layer?.size])).toEqual([
      ['a', undefined, 0, 10],
      ['b', undefined, undefined, undefined],
      [undefined, 'c', 1, 20],
    ])
    expect(steps[2]!.layer).toMatchObject({ descriptor: image.layers[1]!.descriptor, diffId: image.layers[1]!.diffId })
    expect(steps.some(step => 'empty_layer' in step)).toBe(false)
  })

  test('adds a step for each layer that the history does not name', async () => {
    const partly = await readHistory(store, await imageWith([1, 2, 3], [{ created_by: 'a' }]))
    expect(partly.map(step => [step.created_by, step.layer?.index])).toEqual([
      ['a', 0],
      [undefined, 1],
      [undefined, 2],
    ])
    const without = await readHistory(store, await imageWith([1, 2], undefined))
    expect(without.map(step => step.layer?.size)).toEqual([1, 2])
  })

  test('refuses a history that names more layers than there are', async () => {
    const image = await imageWith([1], [{ created_by: 'a' }, { created_by: 'b' }])
    await expect(readHistory(store, image)).rejects.toMatchObject({
      code: 'ERR_INVALID_CONFIG',
      message: expect.stringContaining('the history names 2 layers, the image has 1'),
    })
  })

  test('opens no layer without sizes', async () => {
    const image = await imageWith([1], [{ created_by: 'a' }])
    await store.delete(image.layers[0]!.descriptor.digest)
    await store.derived.delete('indexes', image.layers[0]!.diffId)
    const [step] = await readHistory(store, image, { sizes: false })
    expect(step!.layer).toEqual({ index: 0, ...image.layers[0] })
    await expect(readHistory(store, image)).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  })

  test('counts of a path that a layer has twice only the last entry, and no content of hard links', async () => {
    const { storeLayers } = await import('../helpers/store-layers.ts')
    const [layer] = await storeLayers(store, [
      [
        { path: 'twice', type: '0', content: 'x'.repeat(100) },
        { path: 'twice', type: '0', content: 'y' },
        { path: 'again', type: '1', link: 'twice' },
        { path: 'link', type: '2', link: 'target' },
        { path: 'dir', type: '5' },
        { path: '.wh.gone', type: '0' },
      ],
    ])
    const image = { ...(await imageWith([], [])), layers: [layer!] }
    const [step] = await readHistory(store, image)
    expect(step!.layer!.size).toBe(1 + 'target'.length)
  })

  test('stops when it is aborted', async () => {
    const image = await imageWith([1], [{ created_by: 'a' }])
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(readHistory(store, image, { signal })).rejects.toThrow('enough')
  })
})
