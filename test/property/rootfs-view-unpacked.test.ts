import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffTrees } from '../../lib/layer/index.ts'
import { openUnionView, unpackLayers } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { layerStacks } from '../helpers/arbitrary-layers.ts'
import type { RawEntry } from '../helpers/raw-tar.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const runs = { numRuns: Number(process.env.LAYERSTORE_PROPERTY_RUNS ?? 150) }
const owners = process.getuid?.() === 0 ? [] : (['uid', 'gid'] as const)

/** Whether a layer marks a directory that it makes a link: what that means depends on what lower layers have there. */
function contradictsItself(layer: readonly RawEntry[]): boolean {
  const isMark = (path: string) => path.includes('.wh.')
  const links = layer.filter(({ path, type }) => !isMark(String(path)) && (type === '2' || type === '1'))
  return layer.some(({ path }) => {
    const marked = String(path)
    return isMark(marked) && links.some(link => marked.startsWith(`${link.path}/`))
  })
}

test('a view shows what unpacking the same layers makes', async () => {
  let compared = 0
  await fc.assert(
    fc.asyncProperty(layerStacks, async layers => {
      if (layers.some(contradictsItself)) return
      await using store = createMemoryStore()
      using place = temporaryDirectory('view')
      const stored = await storeLayers(store, layers)
      const view = await openUnionView(store, stored).catch(() => undefined)
      if (!view) return
      const target = join(place.path, 'root')
      const report = await unpackLayers(store, stored, target, { writer: 'inline' }).catch(error => {
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
