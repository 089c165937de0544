import { lstatSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { localFiles } from '../../../lib/sandbox/index.ts'
import { rawTar } from '../../helpers/raw-tar.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const isRoot = process.getuid?.() === 0
const app = { uid: isRoot ? 1000 : (process.getuid?.() ?? 0), gid: isRoot ? 1001 : (process.getgid?.() ?? 0) }

let place: ReturnType<typeof temporaryDirectory>
let umask: number
beforeEach(() => {
  place = temporaryDirectory('local-files')
  umask = process.umask(0o077)
})
afterEach(() => {
  process.umask(umask)
  place[Symbol.dispose]()
})

const at = (path: string) => join(place.path, path)
function attributesOf(path: string) {
  const { mode, uid, gid } = lstatSync(at(path))
  return { mode: mode & 0o7777, uid, gid }
}

test('files and directories get the mode and the owner that the caller asks for', async () => {
  const files = localFiles()
  await files.makeDirectory(at('d'), { mode: 0o2775, ...app })
  await files.writeFile(at('d/f'), 'text', { mode: 0o4755, ...app })
  expect(attributesOf('d')).toEqual({ mode: 0o2775, ...app })
  expect(attributesOf('d/f')).toEqual({ mode: 0o4755, ...app })
  expect(readFileSync(at('d/f'), 'utf8')).toBe('text')
})

test('a directory that exists keeps its attributes, and a file that exists is not replaced', async () => {
  const files = localFiles()
  await files.makeDirectory(at('a/b'), { mode: 0o750, ...app }, { recursive: true })
  await files.makeDirectory(at('a/b'), { mode: 0o777, ...app }, { recursive: true })
  expect(attributesOf('a/b')).toEqual({ mode: 0o750, ...app })
  await files.writeFile(at('f'), '1', { mode: 0o644, ...app })
  await expect(files.writeFile(at('f'), '2', { mode: 0o644, ...app })).rejects.toMatchObject({ code: 'EEXIST' })
})

test('a file that exists gets other attributes, but not through a link, and files are removed', async () => {
  const files = localFiles()
  await files.writeFile(at('f'), '1', { mode: 0o644, ...app })
  await files.change(at('f'), { mode: 0o600, ...app })
  expect(attributesOf('f')).toEqual({ mode: 0o600, ...app })
  symlinkSync('f', at('link'))
  await expect(files.change(at('link'), { mode: 0o644, ...app })).rejects.toThrow('symbolic link')
  await files.makeDirectory(at('d/e'), { mode: 0o755, ...app }, { recursive: true })
  for (const path of ['d', 'link', 'missing']) await files.remove(at(path))
  expect(readdirSync(place.path)).toEqual(['f'])
})

test('an archive is unpacked, and mount points are created and removed again', async () => {
  const files = localFiles()
  async function* archive() {
    yield rawTar([{ path: 'etc/hosts', content: 'one' }])
  }
  await files.unpack(at('root'), 'archive', archive)
  expect(readFileSync(at('root/etc/hosts'), 'utf8')).toBe('one')
  const points = await files.makeMountPoints(at('root'), [{ type: 'tmpfs', target: '/var/cache' }])
  expect(readdirSync(at('root/var'))).toEqual(['cache'])
  await points.remove()
  expect(readdirSync(at('root'))).toEqual(['etc'])
})
