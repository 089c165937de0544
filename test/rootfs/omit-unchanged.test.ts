import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fromDirectory, writeLayer } from '../../lib/layer/index.ts'
import { type EntryChange, type OmitUnchangedOptions, omitUnchanged, openUnionView } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { dumpView } from '../helpers/dump-view.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { variedEntries } from '../helpers/varied-entries.ts'

const base: TarInput[] = [
  { path: 'd', type: 'directory', mode: 0o750 },
  { path: 'd/a', type: 'file', content: 'same', mtime: 5 },
  { path: 'd/b', type: 'hardlink', linkname: 'd/a' },
  { path: 'way', type: 'symlink', linkname: 'd' },
]

async function against(entries: TarInput[], options: OmitUnchangedOptions = {}, below = base) {
  await using store = createMemoryStore()
  const view = await openUnionView(store, [await writeLayer(store, below)])
  const changes: Record<string, EntryChange> = {}
  const kept: string[] = []
  const onEntry = (change: EntryChange) => {
    changes[change.path] = change
  }
  for await (const { path } of omitUnchanged(entries, view, { ...options, onEntry })) kept.push(path)
  return { kept, changes }
}

test('entries that the base has are omitted', async () => {
  expect((await against(base)).kept).toEqual([])
  expect((await against(variedEntries(), {}, variedEntries())).kept).toEqual([])
})

test('entries with other content are kept, for every form of content', async () => {
  const file = { path: 'd/a', type: 'file', mtime: 5 } as const
  for (const content of [
    'diff',
    Buffer.from('diff'),
    () => Buffer.from('diff'),
    () => [Buffer.from('diff')],
    'longer',
    '',
  ]) {
    const { kept, changes } = await against([{ ...file, content }])
    expect([kept, changes['d/a']]).toEqual([['d/a'], { path: 'd/a', kind: 'modified', fields: ['content'] }])
  }
  for (const content of ['same', Buffer.from('same'), async () => Buffer.from('same'), () => [Buffer.from('same')]]) {
    expect((await against([{ ...file, content }])).kept).toEqual([])
  }
})

test('content of another size is not read for the comparison', async () => {
  const content = () => expect.unreachable()
  const { kept } = await against([{ path: 'd/a', type: 'file', mtime: 5, size: 5, content }])
  expect(kept).toEqual(['d/a'])
})

test('content that can be read only once is not read for the comparison', async () => {
  const content = (async function* () {
    yield Buffer.from('same')
  })()
  const { kept } = await against([{ path: 'd/a', type: 'file', mtime: 5, size: 4, content }])
  expect(kept).toEqual(['d/a'])
  expect((await content.next()).value).toEqual(Buffer.from('same'))
})

test('a change of metadata is reported as such, or ignored on request', async () => {
  const entries: TarInput[] = [{ path: 'd/a', type: 'file', content: 'same', mtime: 6, mode: 0o600 }]
  expect((await against(entries)).changes['d/a']).toEqual({ path: 'd/a', kind: 'metadata', fields: ['mode', 'mtime'] })
  expect((await against(entries, { ignore: ['mtime', 'mode'] })).kept).toEqual([])
  expect((await against([{ path: 'd', type: 'directory' }])).changes.d).toMatchObject({ fields: ['mode'] })
})

test('entries that the base lacks are kept, also in an implicit directory of the base', async () => {
  const below: TarInput[] = [{ path: 'x/y', type: 'file' }]
  const { changes } = await against(
    [
      { path: 'x', type: 'directory' },
      { path: './new', type: 'file' },
    ],
    {},
    below,
  )
  expect(changes).toEqual({
    x: { path: 'x', kind: 'added', fields: [] },
    new: { path: 'new', kind: 'added', fields: [] },
  })
})

test('a hard link is kept if its file is kept, or if it is no link in the base', async () => {
  const changed: TarInput[] = [{ path: 'd/a', type: 'file', content: 'new!', mtime: 5 }, base[2]!]
  expect((await against(changed)).kept).toEqual(['d/a', 'd/b'])
  expect((await against([{ path: 'd/b', type: 'hardlink', linkname: 'way' }])).kept).toEqual(['d/b'])
  expect((await against([{ path: 'd/b', type: 'hardlink', linkname: 'gone' }])).kept).toEqual(['d/b'])
  expect((await against([{ path: 'd/b', type: 'hardlink' }])).kept).toEqual(['d/b'])
})

test('entries of a directory that replaces a link are not compared with the target of the link', async () => {
  const entries: TarInput[] = [
    { path: 'way', type: 'directory' },
    { path: 'way/a', type: 'file', content: 'same', mtime: 5 },
  ]
  expect((await against(entries)).kept).toEqual(['way', 'way/a'])
  expect((await against([...entries, base[1]!])).kept).toEqual(['way', 'way/a'])
  expect((await against(entries.slice(1))).kept).toEqual([])
})

test('whiteouts are always kept', async () => {
  expect((await against([{ path: 'd/.wh.a', type: 'file' }])).kept).toEqual(['d/.wh.a'])
  const error = await thrownBy(() => against([{ path: 'd/.wh.', type: 'file' }]))
  expect(error).toMatchObject({ code: 'ERR_INVALID_WHITEOUT' })
})

test('the kept entries give, on the base, the same tree as all entries', async () => {
  using place = temporaryDirectory('omit')
  await using store = createMemoryStore()
  for (let i = 0; i < 20; i++) writeFileSync(join(place.path, `f${i}`), `content ${i}`)
  const below = await writeLayer(store, fromDirectory(place.path, { at: 'app' }))
  const view = await openUnionView(store, [below])
  writeFileSync(join(place.path, 'f7'), 'CONTENT 7')
  const all = await writeLayer(store, fromDirectory(place.path, { at: 'app' }))
  const seen: EntryChange[] = []
  const left = await writeLayer(
    store,
    omitUnchanged(fromDirectory(place.path, { at: 'app' }), view, { onEntry: change => seen.push(change) }),
  )
  expect(seen.filter(({ kind }) => kind !== 'unchanged').map(({ path }) => path)).toEqual(['app/f7'])
  expect(left.uncompressedSize).toBe(2048)
  expect(dumpView(await openUnionView(store, [below, left]))).toEqual(
    dumpView(await openUnionView(store, [below, all])),
  )
})

test('an abort rejects with its reason', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  expect(await thrownBy(() => against(base, { signal }))).toBe(signal.reason)
})
