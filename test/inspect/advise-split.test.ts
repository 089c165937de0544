import { beforeEach, describe, expect, test } from 'vitest'
import { composeImage, type Image } from '../../lib/image/index.ts'
import { adviseSplit } from '../../lib/inspect/index.ts'
import { mergeGroups } from '../../lib/inspect/split/merge-groups.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'

let store: Store
let base: Image
beforeEach(async () => {
  store = createMemoryStore()
  base = await composeImage(store, { layers: [await writeLayer(store, [file('usr/base', 5000, 'b')])] })
})

function file(path: string, size: number, fill: string, mtime = 0): TarInput {
  return { path, type: 'file', content: Buffer.alloc(size, fill), mtime }
}

/** A release whose application is one uncompressed layer on the base. */
async function release(...entries: TarInput[]) {
  const layer = await writeLayer(store, entries, { compression: 'none' })
  return { store, image: await composeImage(store, { base, layers: [layer] }) }
}

describe('adviseSplit', () => {
  test('puts files that change in the same updates into one layer, the most stable one first', async () => {
    const app = (n: number, config: string) => [
      file('app/node_modules/a/index.js', 60_000, 'a'),
      file('app/node_modules/b/index.js', 40_000, 'b'),
      file('app/dist/main.js', 2000, String(n)),
      file('app/dist/main.js.map', 1000, String(n)),
      file('etc/app.conf', 500, config),
    ]
    const releases = [await release(...app(1, 'x')), await release(...app(2, 'x')), await release(...app(3, 'y'))]
    const advice = await adviseSplit(releases)
    expect(advice.shared.layers).toBe(1)
    expect(advice.layers).toEqual([
      {
        bytes: 100_000,
        files: 2,
        changedIn: 0,
        places: [{ path: 'app/node_modules', bytes: 100_000, files: 2 }],
      },
      { bytes: 500, files: 1, changedIn: 1, places: [{ path: 'etc', bytes: 500, files: 1 }] },
      { bytes: 3000, files: 2, changedIn: 2, places: [{ path: 'app/dist', bytes: 3000, files: 2 }] },
    ])
    const now = releases[1]!.image.layers[1]!.descriptor.size
    expect(advice.updates).toMatchObject([
      { blobBytes: now, changedBytes: 3000, changedFiles: 2, proposedBytes: 3000 },
      { blobBytes: now, changedBytes: 3500, changedFiles: 3, proposedBytes: 3500 },
    ])
    expect(advice.savedPerUpdate).toBe(Math.round(now - 3250))
    expect(advice.onlyTimes).toEqual({ files: 0, bytes: 0 })
    expect(advice.releases).toEqual(releases.map(({ image }) => image.descriptor.digest))
  })

  test('tells files whose time alone changed, which cost a layer and need none', async () => {
    const { layers, onlyTimes, updates } = await adviseSplit([
      await release(file('a', 700, 'a', 1), file('b', 10, 'b', 1)),
      await release(file('a', 700, 'a', 2), file('b', 10, 'B', 2)),
    ])
    expect(onlyTimes).toEqual({ files: 1, bytes: 700 })
    expect(updates).toMatchObject([{ changedFiles: 1, changedBytes: 10 }])
    expect(layers.map(({ changedIn, places }) => [changedIn, places[0]!.path])).toEqual([
      [0, 'a'],
      [1, 'b'],
    ])
  })

  test('counts a new file, another owner and another mode as changes', async () => {
    const before = [file('a', 1, 'a'), file('b', 1, 'b')]
    const { updates } = await adviseSplit([
      await release(...before),
      await release({ ...before[0]!, uid: 5 }, { ...before[1]!, mode: 0o600 }, file('c', 1, 'c')),
    ])
    expect(updates[0]).toMatchObject({ changedFiles: 3 })
  })

  test('proposes no more layers than asked for, and cuts lists of places', async () => {
    const one = Array.from({ length: 6 }, (_, i) => file(`f${i}`, 100 * (i + 1), 'x'))
    const two = one.map((entry, i) => (i % 2 ? file(entry.path, 100 * (i + 1), 'y') : entry))
    const three = two.map((entry, i) => (i % 3 ? file(entry.path, 100 * (i + 1), 'z') : entry))
    const releases = [await release(...one), await release(...two), await release(...three)]
    expect((await adviseSplit(releases)).layers).toHaveLength(4)
    const { layers } = await adviseSplit(releases, { layers: 2, most: 1 })
    expect(layers).toHaveLength(2)
    expect(layers.reduce((sum, { files }) => sum + files, 0)).toBe(6)
    expect(layers.every(({ places }) => places.length === 1)).toBe(true)
  })

  test('of equal releases saves nothing', async () => {
    const same = await release(file('a', 10, 'a'))
    expect(await adviseSplit([same, same])).toMatchObject({ savedPerUpdate: 0, layers: [], shared: { layers: 2 } })
  })

  test('needs 2 to 32 releases', async () => {
    const one = await release(file('a', 1, 'a'))
    for (const releases of [[], [one], Array(33).fill(one)]) {
      await expect(adviseSplit(releases)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }
  })
})

test('groups are merged where it costs least', () => {
  const one = (bytes: number, changes: number) => ({ path: `${bytes}`, bytes, changes })
  // Merging 1 (stable) into 1000 (changes once) costs 1; any other pair costs more.
  const groups = mergeGroups([one(1000, 0b01), one(1, 0), one(500, 0b10)], 2)
  expect(groups.map(({ bytes, changes }) => [bytes, changes])).toEqual([
    [1001, 0b01],
    [500, 0b10],
  ])
})
