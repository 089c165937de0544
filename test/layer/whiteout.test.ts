import { expect, test } from 'vitest'
import { parseWhiteout, whiteoutPath } from '../../lib/layer/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test.each([
  ['a/.wh.b', { kind: 'hide', directory: 'a', name: 'b' }],
  ['.wh.b', { kind: 'hide', directory: '.', name: 'b' }],
  ['a/.wh...data', { kind: 'hide', directory: 'a', name: '..data' }],
  ['a/.wh.....', { kind: 'hide', directory: 'a', name: '....' }],
  ['a/b/.wh..wh..opq', { kind: 'opaque', directory: 'a/b' }],
  ['.wh..wh..opq', { kind: 'opaque', directory: '.' }],
  ['.wh..wh.plnk/12.34', { kind: 'ignored' }],
  ['a/.wh..wh.aufs', { kind: 'ignored' }],
  ['a/x.wh.b', undefined],
  ['a/.whx', undefined],
  ['a/b', undefined],
])('%s is read', (path, expected) => {
  expect(parseWhiteout(path)).toEqual(expected)
})

test.each(['.wh.', '.wh..', '.wh...', 'a/.wh.', 'a/.wh../b', '.wh.a/b', 'a/.wh..wh..opq/b', '.wh./..'])(
  '%s is refused with its path and layer',
  async path => {
    const error = await thrownBy(() => parseWhiteout(path, 'sha256:x'))
    expect(error).toMatchObject({ code: 'ERR_INVALID_WHITEOUT', path, layer: 'sha256:x' })
  },
)

test('the mark that hides a path is read as one that hides it', () => {
  for (const path of ['a', 'a/b', 'a/..data']) {
    const { directory, name } = parseWhiteout(whiteoutPath(path)) as { directory: string; name: string }
    expect(directory === '.' ? name : `${directory}/${name}`).toBe(path)
  }
})
