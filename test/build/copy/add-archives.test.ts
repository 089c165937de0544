import { describe, expect, test } from 'vitest'
import { compress } from '../../../lib/compression/index.ts'
import { type TarInput, writeTar } from '../../../lib/tar/index.ts'
import { copiedTree, directory, file, link } from '../../helpers/copied-tree.ts'
import { rawTar } from '../../helpers/raw-tar.ts'
import { readAll } from '../../helpers/read-all.ts'
import { zstdFrame } from '../../helpers/zstd-frames.ts'

const archive = (entries: readonly TarInput[]) => readAll(writeTar(entries))
const add = (content: Uint8Array, rest: Partial<Parameters<typeof copiedTree>[0]> = {}) =>
  copiedTree({ source: { a: content }, paths: ['a'], destination: '/o', unpack: true, ...rest })

describe('ADD of a local archive', () => {
  const members = [
    directory('d', { mode: 0o700, uid: 1 }),
    file('d/f', { uid: 2, gid: 3, mode: 0o4711 }),
    link('d/l', '/f'),
  ]
  const unpacked = {
    o: 'directory 755',
    'o/d': 'directory 700 1:0',
    'o/d/f': 'file 4711 2:3 "d/f"',
    'o/d/l': 'symlink -> /f',
  }

  test('is unpacked, plain or compressed with gzip or zstd, whatever its name is', async () => {
    const tar = await archive(members)
    expect(await add(tar)).toEqual(unpacked)
    expect(await add(await readAll(compress([tar], { type: 'gzip' })))).toEqual(unpacked)
    expect(await add(zstdFrame([{ raw: tar }]))).toEqual(unpacked)
  })

  test('is copied as a file by COPY, by --unpack=false, and inside a directory', async () => {
    const tar = await archive([file('f')])
    expect(Object.keys(await add(tar, { unpack: false }))).toEqual(['o'])
    expect(Object.keys(await add(tar, { source: { 'd/a': tar }, paths: ['d'] }))).toEqual(['o', 'o/a'])
  })

  test('is not one if it is empty, or a compressed file of another kind, or damaged', async () => {
    const gzip = await readAll(compress([Buffer.alloc(2000, 'text')], { type: 'gzip' }))
    for (const content of [
      await archive([]),
      gzip,
      Buffer.from([0x1f, 0x8b, 8, 0, 1]),
      Buffer.from(''),
      Buffer.alloc(600, 65),
    ]) {
      expect(Object.keys(await add(content))).toEqual(['o'])
    }
  })

  test('compressed with bzip2 or xz is refused with the way out', async () => {
    const unsupported = expect.objectContaining({
      code: 'ERR_BUILD_UNSUPPORTED',
      message: expect.stringMatching(/--unpack=false/),
    })
    await expect(add(Buffer.from('BZh91AY&SY'))).rejects.toThrow(unsupported)
    await expect(add(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1]))).rejects.toThrow(unsupported)
  })

  test('gives all members to --chown, and leaves their modes to the archive', async () => {
    const tree = await add(await archive(members), { chown: '7:8', chmod: '600' })
    expect(tree).toMatchObject({ o: 'directory 755 7:8', 'o/d': 'directory 700 7:8', 'o/d/f': 'file 4711 7:8 "d/f"' })
  })

  test('replaces what is in its way and merges directories', async () => {
    const below = [
      file('o/d'),
      directory('o/f'),
      file('o/f/hidden'),
      directory('o/e'),
      file('o/e/stays'),
      link('o/k', 'e'),
    ]
    const tar = await archive([
      directory('d'),
      file('f'),
      directory('e', { mode: 0o711 }),
      directory('k'),
      file('k/new'),
    ])
    expect(await add(tar, { below })).toEqual({
      o: 'directory 755',
      'o/d': 'directory 755',
      'o/e': 'directory 711',
      'o/e/stays': 'file 644 "o/e/stays"',
      'o/f': 'file 644 "f"',
      'o/k': 'directory 755',
      'o/k/new': 'file 644 "k/new"',
    })
  })

  test('a directory that took the place of a replaced directory is empty', async () => {
    const below = [directory('o/f'), file('o/f/hidden')]
    const tar = rawTar([
      { path: 'f', content: 'x' },
      { path: 'f/', type: '5' },
      { path: 'f/new', content: 'y' },
    ] as never)
    expect(await add(tar, { below })).toMatchObject({
      'o/f': expect.stringContaining('directory'),
      'o/f/new': expect.anything(),
    })
    expect(await add(tar, { below })).not.toHaveProperty('o/f/hidden')
  })

  test('resolves links on the way inside the destination, and hard links to members and to files below', async () => {
    const below = [directory('o/in'), link('o/abs', '/in'), file('o/old')]
    const tar = await archive([
      file('abs/f'),
      { path: 'again', type: 'hardlink', linkname: 'in/f' },
      { path: 'older', type: 'hardlink', linkname: 'old' },
    ])
    expect(await add(tar, { below })).toMatchObject({
      'o/again': 'file 644 "abs/f"',
      'o/in/f': 'hardlink 644 = o/again',
      'o/older': 'file 644 "o/old"',
    })
    const dangling = await archive([{ path: 'x', type: 'hardlink', linkname: 'none' }])
    await expect(add(dangling)).rejects.toThrow(expect.objectContaining({ code: 'ERR_BUILD_COPY_CONFLICT' }))
  })

  test('with a member that names a path above, or that would delete a file of the image, is refused', async () => {
    const above = rawTar([{ path: '../x', content: 'y' }] as never)
    await expect(add(above)).rejects.toThrow(expect.objectContaining({ code: 'ERR_INVALID_TAR' }))
    const whiteout = rawTar([{ path: '.wh.x', content: 'y' }] as never)
    await expect(add(whiteout)).rejects.toThrow(expect.objectContaining({ code: 'ERR_BUILD_COPY_CONFLICT' }))
  })
})
