import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { unpackArchives } from '../../../lib/rootfs/unpack/unpack-archives.ts'
import type { UnpackOptions } from '../../../lib/rootfs/unpack/unpack-options.ts'
import { file, hardLink } from '../../helpers/attacks/attack.ts'
import { failing, race } from '../../helpers/racing-fs.ts'
import { type RawEntry, rawTar } from '../../helpers/raw-tar.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

vi.mock('node:fs', async importOriginal => {
  const { racingFs } = await import('../../helpers/racing-fs.ts')
  return racingFs(await importOriginal<typeof import('node:fs')>())
})

let place: ReturnType<typeof temporaryDirectory>
let target: string
beforeEach(() => {
  place = temporaryDirectory('target')
  target = join(place.path, 'a/b/root')
})
afterEach(() => {
  race.reset()
  place[Symbol.dispose]()
})

/** Unpacks one layer; resolves to the error code and the report of what was left. */
async function unpack(entries: RawEntry[], options: UnpackOptions = {}): Promise<{ code: unknown; left: string[] }> {
  const left: string[] = []
  const onLeft = (paths: readonly string[]) => left.push(...paths)
  const sources = [{ name: 'sha256:test', open: () => [rawTar(entries)] }]
  const code = await unpackArchives(sources, target, { writer: 'inline', onLeft, ...options }).then(
    () => undefined,
    error => error.code,
  )
  return { code, left }
}
const broken = [file('f'), hardLink('h', 'missing')]

test('a parent of the target that another process uses meanwhile stays, and is not reported', async () => {
  race.before = (name, path) => {
    if (name === 'rmdirSync' && path === join(place.path, 'a/b')) writeFileSync(join(place.path, 'a/b/theirs'), '')
  }
  expect(await unpack(broken)).toEqual({ code: 'ERR_INVALID_LINK', left: [] })
  expect(readdirSync(join(place.path, 'a/b'))).toEqual(['theirs'])
})

test('a parent of the target that cannot be removed is reported', async () => {
  race.before = (name, path) => {
    if (name === 'rmdirSync' && path === join(place.path, 'a/b')) failing('EBUSY')()
  }
  expect(await unpack(broken)).toEqual({ code: 'ERR_INVALID_LINK', left: [join(place.path, 'a/b')] })
})

test('written paths that cannot be removed are reported', async () => {
  race.before = (name, path) => {
    if (name === 'unlinkSync' && String(path).endsWith('/f')) failing('EBUSY')()
  }
  const { code, left } = await unpack(broken)
  expect([code, left.length]).toEqual(['ERR_INVALID_LINK', 1])
  expect(existsSync(join(left[0]!, 'root/f'))).toBe(true)
})

test('published paths that cannot be removed are reported, including names that are not valid UTF-8', async () => {
  mkdirSync(target, { recursive: true })
  const name = Buffer.from([0x66, 0xff])
  let renamed = 0
  race.before = (call, path) => {
    if (call === 'renameSync' && String(path).includes('layerstore') && renamed++ === 1) failing('EIO')()
    if (call === 'unlinkSync' && Buffer.isBuffer(path) && path.subarray(-2).equals(name)) failing('EBUSY')()
  }
  const { code, left } = await unpack([file(name), file('zz')])
  expect([code, left]).toEqual(['ERR_UNPACK', [`${target}/f\udcff`]])
  expect(readdirSync(target, { encoding: 'buffer' })).toEqual([name])
  race.reset()
  rmSync(target, { recursive: true })
})
