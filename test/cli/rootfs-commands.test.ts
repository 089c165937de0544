import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { decodeName } from '../../lib/internal/name-bytes.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { listTree } from '../helpers/list-tree.ts'
import { cli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let directory: string
beforeEach(async () => {
  place = temporaryDirectory('cli-rootfs')
  directory = join(place.path, 'store')
  await using store = await openStore(directory)
  const layers = [
    await writeLayer(store, [
      { path: 'etc', type: 'directory', mtime: 60 },
      { path: 'etc/conf', type: 'file', content: 'a = 1', mode: 0o640, uid: 1, gid: 2, mtime: 3600 },
      { path: 'etc/link', type: 'symlink', linkname: '/etc/conf' },
      { path: 'gone', type: 'file' },
      { path: 'tmp', type: 'directory', mode: 0o1777 },
    ]),
    await writeLayer(store, [
      { path: '.wh.gone', type: 'file' },
      { path: 'bin/tool', type: 'file', mode: 0o6755, content: '#!' },
      {
        path: decodeName(Buffer.from('odd\n\xff', 'latin1')),
        type: 'file',
        xattrs: new Map([['user.a', Buffer.from('b')]]),
      },
    ]),
  ]
  const image = await composeImage(store, { layers })
  await store.references.set('app:1', image.descriptor)
})
afterEach(() => place[Symbol.dispose]())
const run = (...args: string[]) => cli(args, { store: directory })

test('files lists a directory of an image with the layer that each path comes from', async () => {
  const { code, stdout } = await run('files', 'app:1', 'etc')
  expect(code).toBe(0)
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map(line => line.replace(/ +/g, ' ').trimEnd()),
  ).toEqual([
    'MODE OWNER SIZE CHANGED LAYER NAME',
    '-rw-r----- 1:2 5 1970-01-01 01:00:00 1 etc/conf',
    'lrwxrwxrwx 0:0 0 1970-01-01 00:00:00 1 etc/link -> /etc/conf',
  ])
})

test('files lists everything with --recursive, and shows no control characters', async () => {
  const { stdout } = await run('files', 'app:1', '-R')
  const names = stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line => line.split(/ {2,}/).at(-1))
  expect(names).toEqual(['bin', 'bin/tool', 'etc', 'etc/conf', 'etc/link -> /etc/conf', 'odd\\u000a\\udcff', 'tmp'])
  expect(stdout).toMatch(/^-rwsr-sr-x /m)
  expect(stdout).toMatch(/^drwxrwxrwt /m)
})

test('files of a file gives that file, and --json everything that is known of it', async () => {
  const { stdout } = await run('files', 'app:1', '/etc/link', '--json')
  expect(JSON.parse(stdout)).toMatchObject([{ path: 'etc/conf', type: 'file', size: 5, layer: 0 }])
  const all = JSON.parse((await run('files', 'app:1', '--json')).stdout)
  expect(all.at(-2)).toMatchObject({ path: 'odd\n\udcff', xattrs: { 'user.a': 'Yg==' } })
})

test('cat prints a file byte for byte, through links of the image', async () => {
  expect(await run('cat', 'app:1', 'etc/link')).toEqual({ code: 0, stdout: 'a = 1', stderr: '' })
})

test('a missing image, layer or path fails with a code', async () => {
  expect(await run('cat', 'app:1', 'gone')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('ERR_PATH_NOT_FOUND'),
  })
  expect(await run('cat', 'app:1', 'etc')).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_NOT_A_FILE') })
  expect(await run('files', 'app:1', 'none')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ERR_PATH_NOT_FOUND'),
  })
  expect(await run('unpack', 'app:2', join(place.path, 'x'))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ERR_REFERENCE_NOT_FOUND'),
  })
})

test('unpack writes the tree, says how much on stdout and what was left out on stderr', async () => {
  const target = join(place.path, 'rootfs')
  const { code, stdout, stderr } = await run('unpack', 'app:1', target, '--rootless')
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /^4 files \(7B\), 3 directories, 1 link, 0 devices; \d owners? and \d other details? not applied\n$/,
    ),
  })
  expect(stderr).toMatch(/\nowners of \d paths? not applied \(needs root\); --json lists them\n$/)
  expect(stderr).toContain('mode of "bin/tool": ')
  expect(listTree(target).map(({ path }) => path)).toEqual([
    'bin',
    'bin/tool',
    'etc',
    'etc/conf',
    'etc/link',
    'odd\n\xff',
    'tmp',
  ])
  const again = await run('unpack', 'app:1', target)
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_TARGET_NOT_EMPTY') })
})

test('unpack with --overwrite goes into a directory that holds something; --json gives the report', async () => {
  const target = join(place.path, 'rootfs')
  mkdirSync(target)
  writeFileSync(join(target, 'mine'), 'mine')
  const { stdout, stderr } = await run('unpack', 'app:1', target, '--overwrite', '--rootless', '--json')
  expect(JSON.parse(stdout)).toMatchObject({
    files: 4,
    skipped: expect.arrayContaining([expect.objectContaining({ what: 'mode' })]),
  })
  expect(stderr).toBe('')
  expect(readFileSync(join(target, 'mine'), 'utf8')).toBe('mine')
})

test('an unpack with --overwrite that fails reports what it left, the first paths one by one, --json all', async () => {
  const entries: TarInput[] = Array.from({ length: 30 }, (_, i) => ({ path: `f${i}`, type: 'file', content: 'x' }))
  await using store = await openStore(directory)
  const layer = await writeLayer(store, [...entries, { path: 'h', type: 'hardlink', linkname: 'missing' }])
  await store.references.set('broken:1', (await composeImage(store, { layers: [layer] })).descriptor)
  const target = join(place.path, 'rootfs')
  mkdirSync(target)
  writeFileSync(join(target, 'mine'), 'mine')
  const told = await run('unpack', 'broken:1', target, '--overwrite', '--quiet')
  const lines = told.stderr.trimEnd().split('\n')
  expect(lines.slice(0, 2)).toEqual(['left behind: "f0"', 'left behind: "f1"'])
  expect(lines.slice(-2)).toEqual([
    'and 10 more; --json lists all',
    expect.stringMatching(/^layerstore: .*\(ERR_INVALID_LINK\)$/),
  ])
  const { stdout } = await run('unpack', 'broken:1', target, '--overwrite', '--json')
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'ERR_INVALID_LINK', left: entries.map(({ path }) => path) },
  })
  expect(JSON.parse((await run('unpack', 'broken:1', join(place.path, 'new'), '--json')).stdout).error.left).toBe(
    undefined,
  )
})

test('unpack with --layers stops below the layers above, and keeps whiteouts for overlayfs if asked', async () => {
  const lowest = join(place.path, 'lowest')
  const { code } = await run('unpack', 'app:1', lowest, '--layers', '1', '--rootless', '--keep-set-id', '--quiet')
  expect(code).toBe(0)
  expect(listTree(lowest).map(({ path }) => path)).toEqual(['etc', 'etc/conf', 'etc/link', 'gone', 'tmp'])
  if (process.geteuid?.() !== 0) return
  const layered = join(place.path, 'layered')
  await run('unpack', 'app:1', layered, '--whiteouts', 'overlayfs', '--devices', 'error', '--quiet')
  expect(listTree(layered)).toContainEqual(expect.objectContaining({ path: 'gone', kind: 'character-device' }))
})

test.each([
  ['--layers', '3'],
  ['--layers', 'all'],
  ['--whiteouts', 'keep'],
  ['--devices', 'maybe'],
])('unpack with %s %s is wrong usage, and writes nothing', async (option, value) => {
  const target = join(place.path, 'rootfs')
  const { code, stderr } = await run('unpack', 'app:1', target, option, value)
  expect(code).toBe(2)
  expect(stderr).toContain(option)
  expect(existsSync(target)).toBe(false)
})
