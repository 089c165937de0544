import { describe, expect, test } from 'vitest'
import { fromFiles, writeLayer } from '../../lib/layer/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { readGroups, readUsers, resolveOwner, resolveUser } from '../../lib/sandbox/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'

const store = createMemoryStore()
const viewOf = async (files: Record<string, string> | TarInput[]) =>
  openUnionView(store, [await writeLayer(store, fromFiles(files), { compression: 'none' })])

const files = {
  'etc/passwd':
    '# comment\nroot:x:0:0:root:/root:/bin/sh\napp:x:100:200::/home/app:\nbad:x:y:1::/:\n:x:1:1::/:\nhomeless:x:7:7::',
  'etc/group': 'root:x:0:\nweb:x:300:app,other\nlogs:x:301:app\nbad:x::\n',
}
const unknown = expect.objectContaining({ code: 'ERR_BUILD_UNKNOWN_ACCOUNT' })
const invalid = expect.objectContaining({ code: 'ERR_BUILD_INVALID_STEP' })

describe('the accounts of an image', () => {
  test('are read from its files, bad lines are ignored, and an image without them has none', async () => {
    const view = await viewOf(files)
    expect((await readUsers(view)).map(({ name, uid }) => [name, uid])).toEqual([
      ['root', 0],
      ['app', 100],
      ['homeless', 7],
    ])
    expect((await readGroups(view)).map(({ name }) => name)).toEqual(['root', 'web', 'logs'])
    expect(await readUsers(undefined)).toEqual([])
    expect(await readUsers(await viewOf({ x: '' }))).toEqual([])
  })

  test('are found through links inside the root only', async () => {
    const passwd: TarInput = { path: 'real', type: 'file', content: 'in:x:5:6::/:\n' }
    const link: TarInput = { path: 'etc/passwd', type: 'symlink', linkname: '../../../real' }
    expect(await resolveOwner('in', await viewOf([passwd, link]))).toEqual({ uid: 5, gid: 6 })
    const out: TarInput = { path: 'etc/passwd', type: 'symlink', linkname: '/etc/hostname' }
    await expect(resolveOwner('root2', await viewOf([out]))).rejects.toThrow(unknown)
  })

  test('are not read from a file over 10 MiB', async () => {
    const view = await viewOf({ 'etc/passwd': 'x'.repeat(10 * 1024 * 1024 + 1) })
    await expect(resolveOwner('app', view)).rejects.toThrow(expect.objectContaining({ code: 'ERR_LIMIT_EXCEEDED' }))
  })
})

test.each([
  ['app', { uid: 100, gid: 200, groups: [200, 300, 301], home: '/home/app' }],
  ['app:web', { uid: 100, gid: 300, groups: [300], home: '/home/app' }],
  ['app:5', { uid: 100, gid: 5, groups: [5], home: '/home/app' }],
  ['100', { uid: 100, gid: 200, groups: [200, 300, 301], home: '/home/app' }],
  ['55', { uid: 55, gid: 0, groups: [0], home: '/' }],
  ['55:66', { uid: 55, gid: 66, groups: [66], home: '/' }],
  ['homeless', { uid: 7, gid: 7, groups: [7], home: '' }],
  ['', { uid: 0, gid: 0, groups: [0], home: '/root' }],
  ['root', { uid: 0, gid: 0, groups: [0], home: '/root' }],
])('USER %j is %j', async (text, expected) => {
  expect(await resolveUser(text, await viewOf(files))).toEqual(expected)
})

test('a name that the image does not know, and a number that owns no file, are errors', async () => {
  const view = await viewOf(files)
  for (const resolve of [resolveUser, resolveOwner]) {
    await expect(resolve('none', view)).rejects.toThrow(unknown)
    await expect(resolve('app:none', view)).rejects.toThrow(unknown)
    await expect(resolve('4294967295', view)).rejects.toThrow(invalid)
  }
  expect(await resolveUser('root', undefined)).toEqual({ uid: 0, gid: 0, groups: [0], home: '/' })
})
