import { spawnSync } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type FromDirectoryOptions, fromDirectory } from '../../lib/layer/index.ts'
import { loadXattrLister } from '../../lib/layer/source/xattrs.ts'
import { readTar, type TarInput, writeTar } from '../../lib/tar/index.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let root: string
const at = (...parts: string[]) => join(root, ...parts)
const file = (path: string, content: string | Buffer = path) => writeFileSync(at(path), content)
beforeEach(() => {
  directory = temporaryDirectory('policies')
  root = join(directory.path, 'root')
  mkdirSync(root)
})
afterEach(() => {
  vi.unstubAllEnvs()
  directory[Symbol.dispose]()
})

async function inputsOf(options?: FromDirectoryOptions): Promise<TarInput[]> {
  const all: TarInput[] = []
  for await (const entry of fromDirectory(root, options)) all.push(entry)
  return all
}
const pathsOf = async (options?: FromDirectoryOptions) => (await inputsOf(options)).map(({ path }) => path)

describe.each(['thread', 'inline'] as const)('with many entries, read by %s', reader => {
  beforeEach(() => {
    for (let i = 0; i < 30; i++) {
      mkdirSync(at(`d${i}`))
      for (let k = 0; k < 12; k++) file(`d${i}/f${k}`, Buffer.alloc((i * 137 + k * 7919) % 70_000, `${i} ${k} `))
    }
    file('d7/large', Buffer.alloc(5_000_000, 'large'))
    linkSync(at('d3/f3'), at('d29/linked'))
    symlinkSync('/etc/passwd', at('d12/out'))
    writeFileSync(Buffer.concat([Buffer.from(`${root}/d20/`), Buffer.from([0x63, 0xe9])]), 'latin')
  })

  test.runIf(needsProgram('tar'))('the bytes are those of GNU tar with the same order, times and owners', async () => {
    const ours = await readAll(writeTar(fromDirectory(root, { reader, mtime: 0, mode: 'source' })))
    const [env, maxBuffer] = [{ ...process.env, LC_ALL: 'C' }, 100_000_000]
    const args = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--format=ustar', '-b1']
    const { stdout } = spawnSync('tar', ['-C', root, ...args, '-cf', '-', '.'], { env, maxBuffer })
    const facts = async (bytes: Buffer) => (await readEntries(readTar(bytes))).map(({ offset: _, ...entry }) => entry)
    expect(await facts(ours)).toEqual((await facts(stdout)).filter(({ path }) => path !== '.'))
  })

  test('patterns leave out, take back, and keep a directory for what was taken back in it', async () => {
    for (let i = 0; i < 30; i++) chmodSync(at(`d${i}`), i === 5 ? 0o000 : 0o755)
    const ignore = ['d*', '!d3/f3', '!d11', 'd11/f1*', '!d29/linked']
    const expected = ['d11', ...[0, 2, 3, 4, 5, 6, 7, 8, 9].map(k => `d11/f${k}`), 'd29', 'd29/linked', 'd3', 'd3/f3']
    expect(await pathsOf({ reader, ignore })).toEqual(expected)
    chmodSync(at('d5'), 0o755)
  })

  test('of several names each can be a file of its own', async () => {
    const linked = await readEntries(readTar(writeTar(fromDirectory(root, { reader, ignore: ['*', '!d29', '!d3'] }))))
    expect(linked.filter(({ type }) => type === 'hardlink')).toMatchObject([{ path: 'd3/f3', linkname: 'd29/linked' }])
    const copied = fromDirectory(root, { reader, hardLinks: 'copy', ignore: ['*', '!d29/linked', '!d3/f3'] })
    const files = await readEntries(readTar(writeTar(copied)))
    expect(files.map(({ path, type }) => [path, type])).toEqual([
      ['d29', 'directory'],
      ['d29/linked', 'file'],
      ['d3', 'directory'],
      ['d3/f3', 'file'],
    ])
    expect(files[1]!.text).toBe(files[3]!.text)
  })

  test('a name that would be a whiteout is refused when its turn has come', async () => {
    file('d9/.wh.x')
    const seen: string[] = []
    const walk = async () => {
      for await (const { path } of fromDirectory(root, { reader })) seen.push(path)
    }
    expect(await thrownBy(walk)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(seen.at(-1)).toBe('d9')
  })
})

test('a thread is started for much, not for little, and not where a function has to be asked', async () => {
  let started = 0
  const count = () => {
    started++
  }
  process.on('worker', count)
  try {
    const startedBy = async (options?: FromDirectoryOptions) => {
      started = 0
      await inputsOf(options)
      return started
    }
    file('small')
    expect(await startedBy()).toBe(0)
    for (let i = 0; i < 400; i++) file(`f${i}`)
    expect(await startedBy()).toBe(1)
    expect(await startedBy({ reader: 'inline' })).toBe(0)
    expect(await startedBy({ filter: () => true })).toBe(0)
  } finally {
    process.off('worker', count)
  }
})

test('times are clamped to SOURCE_DATE_EPOCH, to a time, or told by a function', async () => {
  for (const [name, time] of Object.entries({ a: 100.75, b: 5000 })) {
    file(name)
    utimesSync(at(name), 1, time)
  }
  const times = async (mtime: FromDirectoryOptions['mtime']) => (await inputsOf({ mtime })).map(input => input.mtime)
  vi.stubEnv('SOURCE_DATE_EPOCH', '1000')
  expect(await times('clamp')).toEqual([100, 1000])
  expect(await times({ notAfter: 99 })).toEqual([99, 99])
  expect(await times((path, type, mtime) => mtime + (path === 'a' && type === 'file' ? 1 : 0))).toEqual([101.75, 5000])
})

test('owners are kept, mapped, or fixed', async () => {
  file('f')
  const [uid, gid] = [process.getuid!(), process.getgid!()]
  expect(await inputsOf({ uid: 'source', gid: 'source' })).toMatchObject([{ uid, gid }])
  expect(await inputsOf({ uid: id => id + 1000, gid: 5 })).toMatchObject([{ uid: uid + 1000, gid: 5 }])
})

test('modes are one for all, or for files and directories', async () => {
  mkdirSync(at('d'))
  file('f')
  symlinkSync('f', at('l'))
  const modes = async (mode: FromDirectoryOptions['mode']) => (await inputsOf({ mode })).map(input => input.mode)
  expect(await modes(0o700)).toEqual([0o700, 0o700, 0o777])
  expect(await modes({ files: 0o640, directories: 0o750 })).toEqual([0o750, 0o640, 0o777])
})

test('parents of the directory in the image can be left out', async () => {
  file('f')
  expect(await pathsOf({ at: 'usr/lib', parents: false })).toEqual(['usr/lib/f'])
})

describe('extended attributes', () => {
  test('come from a function, sorted, without those of this machine', async () => {
    mkdirSync(at('d'))
    file('d/f')
    symlinkSync('f', at('l'))
    const asked: string[] = []
    const read = (path: string, type: string) => {
      asked.push(`${type} ${path}`)
      const own = new Map([['user.z', Buffer.from([0xff, 0])]]).set('user.a', Buffer.from('a'))
      return type === 'file'
        ? own.set('security.selinux', Buffer.from('x')).set('user.overlay.opaque', Buffer.from('y'))
        : undefined
    }
    const [d, f, l] = await readEntries(readTar(writeTar(fromDirectory(root, { xattrs: read }))))
    expect([d!.xattrs, l!.xattrs]).toEqual([undefined, undefined])
    expect([...f!.xattrs!].map(([name, value]) => [name, [...value]])).toEqual([
      ['user.a', [0x61]],
      ['user.z', [0xff, 0]],
    ])
    expect(asked).toEqual([`directory ${at('d')}`, `file ${at('d/f')}`])
  })

  test('without the package that reads them, asking for them is refused', async () => {
    expect(await thrownBy(() => loadXattrLister(at('no-such-package.mjs')))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('come through the handle of the open file by the package, in base64', async () => {
    const source = `export const asked = []
      export const listAttributesSync = path => { asked.push(path); return ['user.b', 'trusted.overlay.x', 'user.a'] }
      export const getAttributeSync = (path, name) => Buffer.from(name + '!')
      export const setAttributeSync = () => {}`
    writeFileSync(at('fs-xattr.mjs'), source)
    const list = await loadXattrLister(at('fs-xattr.mjs'))
    mkdirSync(at('directory'), { recursive: true })
    // The instance that the library has loaded: Vitest's own `import` would make another one.
    const { asked } = createRequire(import.meta.url)(at('fs-xattr.mjs')) as { asked: string[] }
    expect(list('/some/file', 'file', 33)).toEqual([
      ['user.a', Buffer.from('user.a!').toString('base64')],
      ['user.b', Buffer.from('user.b!').toString('base64')],
    ])
    expect(list(at('directory'), 'directory')).toHaveLength(2)
    expect(list('/some/link', 'symlink')).toBeUndefined()
    if (process.platform === 'linux')
      expect(asked).toEqual(['/proc/self/fd/33', expect.stringMatching(/^\/proc\/self\/fd\/\d+$/)])
    else expect(asked).toEqual(['/some/file', at('directory')])
  })
})

test.runIf(needs(process.geteuid?.() !== 0, 'needs a user other than root'))(
  'what may not be read is told',
  async () => {
    file('f')
    chmodSync(at('f'), 0)
    expect(await thrownBy(() => inputsOf())).toMatchObject({ code: 'ERR_SOURCE_READ', path: at('f') })
  },
)
