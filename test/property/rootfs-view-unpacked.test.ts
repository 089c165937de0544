import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diffTrees } from '../../lib/layer/index.ts'
import { openUnionView, unpackLayers } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { layerStacks } from '../helpers/arbitrary-layers.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import type { RawEntry } from '../helpers/raw-tar.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const runs = { numRuns: cases(150) }
const isRoot = process.getuid?.() === 0
const owners = isRoot ? [] : (['uid', 'gid'] as const)
/** Only root can read every directory; other users read those of these layers. */
const open = (entry: RawEntry) => (isRoot || entry.type !== '5' ? entry : { ...entry, mode: (entry.mode ?? 0) | 0o700 })
const stacks = layerStacks.map(layers => layers.map(layer => layer.map(open)))

test('a view shows what unpacking the same layers makes', async () => {
  let [all, compared] = [0, 0]
  await fc.assert(
    fc.asyncProperty(stacks, async layers => {
      all++
      await using store = createMemoryStore()
      using place = temporaryDirectory('view')
      const stored = await storeLayers(store, layers)
      const view = await openUnionView(store, stored).catch((error: { code: string }) => error)
      const target = join(place.path, 'root')
      const report = await unpackLayers(store, stored, target, { writer: 'inline', keepSetId: true }).catch(
        (error: { code: string }) => error,
      )
      if (!('walk' in view)) {
        expect(report).toMatchObject({ code: view.code })
        return
      }
      expect(report).toHaveProperty('files')
      compared++
      const implicit = new Set([...view.walk()].filter(entry => entry.implicit).map(entry => entry.path))
      const diff = await diffTrees(view, target, { ignore: ['links', ...owners] })
      const metadataOnly = diff.metadataOnly.filter(({ path }) => !implicit.has(path))
      expect({ ...diff, metadataOnly }).toEqual({ added: [], modified: [], metadataOnly: [], deleted: [] })
    }),
    runs,
  )
  expect(compared).toBeGreaterThan(all / 4)
})
