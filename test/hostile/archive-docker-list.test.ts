import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadArchive } from '../../lib/archive/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { dockerArchive } from '../helpers/docker-archive.ts'
import { rawTar } from '../helpers/raw-tar.ts'
import { refusedArchive } from '../helpers/refused-archive.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const refused = (code: string) => [code, code, code]
const { entries } = dockerArchive()
const [list] = JSON.parse(`${entries.find(({ path }) => path === 'manifest.json')!.content}`)
const withList = (content: string | Buffer) =>
  rawTar(entries.map(entry => (entry.path === 'manifest.json' ? { path: 'manifest.json', content } : entry)))
const withImage = (members: object) => withList(JSON.stringify([{ ...list, ...members }]))

test.each([
  ['da-manifest-missing', rawTar(entries.filter(({ path }) => path !== 'manifest.json')), 'ERR_INVALID_LAYOUT'],
  ['da-manifest-null', withList('null'), 'ERR_INVALID_LAYOUT'],
  ['da-manifest-object', withList('{}'), 'ERR_INVALID_LAYOUT'],
  ['da-manifest-members', withList('[null]'), 'ERR_INVALID_LAYOUT'],
  ['da-manifest-nested', withList('[[]]'), 'ERR_INVALID_LAYOUT'],
  ['da-manifest-cut', withList('[{"Config":'), 'ERR_INVALID_LAYOUT'],
  ['da-manifest-bom', withList(`\ufeff${JSON.stringify([list])}`), 'ERR_INVALID_LAYOUT'],
  ['da-manifest-dup-key', withList(JSON.stringify([list]).replace('{', '{"Config":"x",')), 'ERR_INVALID_LAYOUT'],
  ['da-manifest-deep', withList('['.repeat(100_000)), 'ERR_INVALID_LAYOUT'],
  ['da-manifest-2mib', withList(Buffer.alloc(2 * 1024 * 1024, 0x20)), 'ERR_LIMIT_EXCEEDED'],
  ['da-manifest-proto', withList(`[{"__proto__":${JSON.stringify(list)}}]`), 'ERR_INVALID_LAYOUT'],
  ['da-config-missing', withImage({ Config: undefined }), 'ERR_INVALID_LAYOUT'],
  ['da-config-not-there', withImage({ Config: 'none.json' }), 'ERR_INVALID_LAYOUT'],
  ['da-config-is-layer', withImage({ Config: list.Layers[0] }), 'ERR_INVALID_CONFIG'],
  ['da-path-config-out', withImage({ Config: '../../etc/passwd' }), 'ERR_INVALID_LAYOUT'],
  ['da-path-config-abs', withImage({ Config: '/etc/passwd' }), 'ERR_INVALID_LAYOUT'],
  ['da-path-layer-out', withImage({ Layers: ['../../etc/passwd', list.Layers[1]] }), 'ERR_INVALID_LAYOUT'],
  ['da-path-layer-nul', withImage({ Layers: ['a\0b', list.Layers[1]] }), 'ERR_INVALID_LAYOUT'],
  ['da-layer-not-there', withImage({ Layers: ['none.tar', list.Layers[1]] }), 'ERR_INVALID_LAYOUT'],
  ['da-layer-string', withImage({ Layers: 'x' }), 'ERR_INVALID_LAYOUT'],
  ['da-layer-numbers', withImage({ Layers: [1, 2] }), 'ERR_INVALID_LAYOUT'],
  ['da-layer-1001', withImage({ Layers: Array(1001).fill(list.Layers[0]) }), 'ERR_INVALID_LAYOUT'],
  ['da-layer-count-few', withImage({ Layers: list.Layers.slice(1) }), 'ERR_INVALID_CONFIG'],
  ['da-layer-count-many', withImage({ Layers: [...list.Layers, list.Layers[0]] }), 'ERR_INVALID_CONFIG'],
  ['da-tag-upper', withImage({ RepoTags: ['Foo:1'] }), 'ERR_INVALID_REFERENCE'],
  ['da-tag-way-out', withImage({ RepoTags: ['../../x:1'] }), 'ERR_INVALID_REFERENCE'],
  ['da-tag-shell', withImage({ RepoTags: ['$(touch x)'] }), 'ERR_INVALID_REFERENCE'],
  ['da-tag-numbers', withImage({ RepoTags: [1] }), 'ERR_INVALID_LAYOUT'],
])('%s is refused', async (_, tar, code) => {
  expect(await refusedArchive(tar)).toEqual(refused(code))
})

test('da-layer-diff-id: a layer that is not what the config says is refused, plain and compressed', async () => {
  for (const gzip of [false, true]) {
    const archive = dockerArchive(['first', 'second'], { gzip })
    const [one, two] = archive.entries.filter(({ path }) => `${path}`.endsWith('layer.tar'))
    const swapped = archive.entries.map(entry =>
      entry === one ? { ...one, content: two!.content! } : entry === two ? { ...two, content: one!.content! } : entry,
    )
    const [opened, file, stream] = await refusedArchive(rawTar(swapped))
    expect({ gzip, opened, file, stream }).toEqual(
      gzip
        ? { gzip, opened: 'ERR_DIFF_ID_MISMATCH', file: 'ERR_DIFF_ID_MISMATCH', stream: 'ERR_DIFF_ID_MISMATCH' }
        : {
            gzip,
            opened: 'ERR_BLOB_CORRUPT',
            file: expect.stringMatching(/_MISMATCH$/),
            stream: 'ERR_DIFF_ID_MISMATCH',
          },
    )
  }
})

test('da-tag-twice: two images under one name are refused when the name is needed', async () => {
  const other = dockerArchive(['other'])
  const both = [...entries, ...other.entries].filter(({ path }) => !/^(manifest.json|repositories)$/.test(`${path}`))
  const [second] = JSON.parse(`${other.entries.find(({ path }) => path === 'manifest.json')!.content}`)
  const tar = rawTar([...both, { path: 'manifest.json', content: JSON.stringify([list, second]) }])
  using place = temporaryDirectory('archive')
  const path = join(place.path, 'a.tar')
  writeFileSync(path, tar)
  for (const source of [path, [tar]]) {
    await using store = createMemoryStore()
    expect(await thrownBy(() => loadArchive(store, source))).toMatchObject({ code: 'ERR_INVALID_LAYOUT' })
    expect(await thrownBy(() => loadArchive(store, source, { name: 'x' }))).toMatchObject({
      code: 'ERR_INVALID_LAYOUT',
    })
    expect(await thrownBy(() => loadArchive(store, source, { image: 'app:1.0' }))).toMatchObject({
      code: 'ERR_INVALID_LAYOUT',
    })
    for await (const { name } of store.references.list()) expect.unreachable(name)
    expect(await loadArchive(store, source, { image: '@1', name: 'x' })).toMatchObject([{ names: ['x:latest'] }])
  }
})
