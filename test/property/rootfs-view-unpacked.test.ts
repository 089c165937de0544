import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diffTrees } from '../../lib/layer/index.ts'
import { openUnionView, unpackLayers } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { layerStacks } from '../helpers/arbitrary-layers.ts'
import fc from '../helpers/fast-check.ts'
import type { RawEntry } from '../helpers/raw-tar.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const runs = { numRuns: Number(process.env.LAYERSTORE_PROPERTY_RUNS ?? 150) }
const isRoot = process.getuid?.() === 0
const owners = isRoot ? [] : (['uid', 'gid'] as const)
/** Only root can look into every directory; others look into those of these layers. */
const open = (entry: RawEntry) => (isRoot || entry.type !== '5' ? entry : { ...entry, mode: (entry.mode ?? 0) | 0o700 })
const stacks = layerStacks.map(layers => layers.map(layer => layer.map(open)))

const isLink = ({ type }: RawEntry) => type === '2' || type === '1'

/**
 * Whether a layer marks something below a name and makes links, or, where lower layers have links, directories after
 * the mark: where such a mark leads can change while the layer is unpacked, and one pass cannot know what is to come.
 */
function contradictsItself(layer: readonly RawEntry[], at: number, layers: readonly RawEntry[][]): boolean {
  const mark = layer.findIndex(({ path }) => /\/\.wh\./.test(String(path)))
  if (mark === -1) return false
  const belowLinks = layers.slice(0, at).some(lower => lower.some(isLink))
  return layer.some((entry, i) => isLink(entry) || (entry.type === '5' && belowLinks && i > mark))
}

test('a view shows what unpacking the same layers makes', async () => {
  let compared = 0
  await fc.assert(
    fc.asyncProperty(stacks, async layers => {
      if (layers.some(contradictsItself)) return
      await using store = createMemoryStore()
      using place = temporaryDirectory('view')
      const stored = await storeLayers(store, layers)
      const view = await openUnionView(store, stored).catch(() => undefined)
      if (!view) return
      const target = join(place.path, 'root')
      const report = await unpackLayers(store, stored, target, { writer: 'inline', keepSetId: true }).catch(error => {
        // Some layers can only be read as a whole: unpacking goes through them once.
        expect(error).toMatchObject({
          code: expect.stringMatching(/^ERR_(INVALID_WHITEOUT|NOT_A_DIRECTORY|TOO_MANY_LINKS)$/),
        })
      })
      if (!report) return
      compared++
      const implicit = new Set([...view.walk()].filter(entry => entry.implicit).map(entry => entry.path))
      const diff = await diffTrees(view, target, { ignore: ['links', ...owners] })
      const metadataOnly = diff.metadataOnly.filter(({ path }) => !implicit.has(path))
      expect({ ...diff, metadataOnly }).toEqual({ added: [], modified: [], metadataOnly: [], deleted: [] })
    }),
    runs,
  )
  expect(compared).toBeGreaterThan(runs.numRuns / 4)
})
