import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type ChangedField, diffTrees } from '../../lib/layer/index.ts'
import { openUnionView, type UnionView } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { whiteoutCases } from '../helpers/attacks/whiteout-cases.ts'
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts'
import { readAll } from '../helpers/read-all.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { unpackCase } from '../helpers/unpack-case.ts'

const file = (path: string, content = ''): RawEntry => ({ path, content })
const etc: RawEntry[] = [{ path: 'etc/' }, file('etc/low', 'low')]

const metadata: ChangedField[] = ['mode', 'uid', 'gid', 'mtime', 'xattrs']

async function listOf(view: UnionView): Promise<string[]> {
  const lines = []
  for (const { path, type, linkname } of view.walk()) {
    if (type === 'symlink') lines.push(`${path}->${linkname}`)
    else lines.push(type === 'file' ? `${path}=${await readAll(view.read(path))}` : path)
  }
  return lines
}

describe.each(whiteoutCases)('$name', ({ layers, gives }) => {
  const placed = (outside: string) =>
    layers.map(layer =>
      layer.map(entry => ({
        ...entry,
        ...(entry.link ? { link: String(entry.link).replace('{outside}', outside) } : {}),
      })),
    )

  test('in a view', async () => {
    await using store = createMemoryStore()
    const opening = storeLayers(store, placed('{outside}')).then(stored => openUnionView(store, stored))
    if ('code' in gives) {
      await expect(opening).rejects.toMatchObject(gives)
      return
    }
    const view = await opening
    expect(await listOf(view)).toEqual(gives)
    expect([...view.walk()].some(entry => entry.path.split('/').some(name => name.startsWith('.wh.')))).toBe(false)
  })

  test('on disk', async () => {
    await using store = createMemoryStore()
    using unpacked = await unpackCase(({ outside }) => placed(outside))
    expect(unpacked.canary).toBe('untouched')
    if ('code' in gives) {
      expect(unpacked.error).toMatchObject(gives)
      expect(existsSync(unpacked.root)).toBe(false)
      return
    }
    expect(unpacked.error).toBeUndefined()
    const view = await openUnionView(store, await storeLayers(store, placed(unpacked.outside)))
    const diff = await diffTrees(view, unpacked.root, { ignore: metadata })
    expect(diff).toEqual({ added: [], modified: [], metadataOnly: [], deleted: [] })
  })
})

test('an invalid whiteout is refused with its path and its layer', async () => {
  await using store = createMemoryStore()
  const layers = await storeLayers(store, [etc, [file('etc/.wh..')]])
  await expect(openUnionView(store, layers)).rejects.toMatchObject({
    code: 'ERR_INVALID_WHITEOUT',
    path: 'etc/.wh..',
    layer: layers[1]!.diffId,
  })
})

test('a whole archive of marks for one directory is one warning', async () => {
  await using store = createMemoryStore()
  const marks = Array.from({ length: 20_000 }, () => file('etc/.wh..wh..opq'))
  const view = await openUnionView(store, await storeLayers(store, [etc, rawTar(marks)]))
  expect(view.warnings).toEqual([{ code: 'duplicate-path', path: 'etc/.wh..wh..opq', layer: 1 }])
})
