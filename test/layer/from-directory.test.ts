import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FromDirectoryOptions, fromDirectory } from '../../lib/layer/index.ts'
import { readTar, type TarInput, writeTar } from '../../lib/tar/index.ts'
import { listenAt } from '../helpers/listen-at.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let root: string
const at = (...parts: string[]) => join(root, ...parts)
const file = (path: string, content: string | Buffer = path) => writeFileSync(at(path), content)
beforeEach(() => {
  directory = temporaryDirectory('from-directory')
  root = join(directory.path, 'root')
  mkdirSync(root)
})
afterEach(() => directory[Symbol.dispose]())

async function inputsOf(options?: FromDirectoryOptions): Promise<TarInput[]> {
  const all: TarInput[] = []
  for await (const entry of fromDirectory(root, options)) all.push(entry)
  return all
}
const pathsOf = async (options?: FromDirectoryOptions) => (await inputsOf(options)).map(({ path }) => path)
const readBack = (options?: FromDirectoryOptions) => readEntries(readTar(writeTar(fromDirectory(root, options))))

describe('order and kinds', () => {
  test('a directory stands before its content, names are in the order of their bytes', async () => {
    for (const name of ['b', 'a', 'a-b', 'ü', 'Z', '￿', '𐀀']) mkdirSync(at(name))
    for (const path of ['a/z', 'a/b', 'a.', 'a-b/x']) file(path)
    expect(await pathsOf()).toEqual(['Z', 'a', 'a/b', 'a/z', 'a-b', 'a-b/x', 'a.', 'b', 'ü', '￿', '𐀀'])
  })

  test('names that are not UTF-8 keep their bytes', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x63, 0xe9])]), 'latin')
    expect(await readBack()).toMatchObject([{ path: 'c\udce9', text: 'latin' }])
  })

  test('links stay links and are never followed', async () => {
    mkdirSync(at('d'))
    file('d/f')
    symlinkSync('d', at('to-directory'))
    symlinkSync('/etc', at('out'))
    symlinkSync('nowhere', at('dangling'))
    expect(await readBack()).toMatchObject([
      { path: 'd' },
      { path: 'd/f' },
      { path: 'dangling', type: 'symlink', linkname: 'nowhere', mode: 0o777 },
      { path: 'out', type: 'symlink', linkname: '/etc' },
      { path: 'to-directory', type: 'symlink', linkname: 'd' },
    ])
  })

  test('of several names of one file the first is the file', async () => {
    mkdirSync(at('d'))
    file('z', 'shared')
    linkSync(at('z'), at('d', 'first'))
    linkSync(at('z'), at('last'))
    expect(await readBack({ at: '/opt' })).toMatchObject([
      { path: 'opt' },
      { path: 'opt/d' },
      { path: 'opt/d/first', type: 'file', text: 'shared' },
      { path: 'opt/last', type: 'hardlink', linkname: 'opt/d/first' },
      { path: 'opt/z', type: 'hardlink', linkname: 'opt/d/first' },
    ])
  })

  test('a name that the filter leaves out is no target of hard links', async () => {
    file('a', 'shared')
    linkSync(at('a'), at('b'))
    expect(await readBack({ filter: path => path !== 'a' })).toMatchObject([
      { path: 'b', type: 'file', text: 'shared' },
    ])
  })

  test.runIf(needsProgram('mkfifo'))('sockets are left out, fifos are kept and not opened', async () => {
    const server = await listenAt(at('socket'))
    execFileSync('mkfifo', [at('fifo')])
    try {
      expect(await readBack()).toMatchObject([{ path: 'fifo', type: 'fifo', size: 0 }])
    } finally {
      await new Promise(resolve => server.close(resolve))
    }
  })

  test.runIf(needsRoot() && needsProgram('mknod'))('devices are kept with their numbers', async () => {
    try {
      execFileSync('mknod', [at('device'), 'c', '260', '70000'], { stdio: 'pipe' })
    } catch {
      return console.warn('skipped: no right to make devices here')
    }
    expect(await readBack()).toMatchObject([{ type: 'character-device', devMajor: 260, devMinor: 70_000 }])
  })

  test('files of every size around the border between the two ways to read come whole', async () => {
    const sizes = [0, 1, 256 * 1024 - 1, 256 * 1024, 1024 * 1024, 2 * 1024 * 1024 + 1]
    for (const size of sizes) file(`f${String(size).padStart(9, '0')}`, Buffer.alloc(size, `${size} `))
    const entries = await readBack()
    expect(entries.map(({ size }) => size)).toEqual(sizes)
    for (const { text, size } of entries) {
      expect(Buffer.from(text, 'latin1').equals(Buffer.alloc(size, `${size} `))).toBe(true)
    }
    expect(openFilesBelow(root)).toEqual([])
  })

  test('an empty directory gives no entries', async () => {
    expect(await pathsOf()).toEqual([])
  })
})

describe('options', () => {
  test('at puts everything below a directory, which becomes an entry with those above it', async () => {
    file('f')
    expect(await readBack({ at: '/usr/./local//lib/', uid: 7, gid: 8, mtime: 9 })).toMatchObject([
      { path: 'usr', type: 'directory', mode: 0o755, uid: 7, gid: 8, mtime: 9 },
      { path: 'usr/local', type: 'directory' },
      { path: 'usr/local/lib', type: 'directory' },
      { path: 'usr/local/lib/f', type: 'file', uid: 7, gid: 8, mtime: 9 },
    ])
    for (const at of ['/', '.', './']) expect(await pathsOf({ at })).toEqual(['f'])
  })

  test('the filter is asked by path and type, and a directory left out is not looked into', async () => {
    mkdirSync(at('d/e'), { recursive: true })
    mkdirSync(at('node_modules'))
    for (const path of ['d/e/f', 'd/g', 'node_modules/x', 'h']) file(path)
    const asked: string[] = []
    const filter = (path: string, type: string) => {
      asked.push(`${type} ${path}`)
      return path !== 'node_modules' && path !== 'd/g'
    }
    expect(await pathsOf({ at: 'app', filter })).toEqual(['app', 'app/d', 'app/d/e', 'app/d/e/f', 'app/h'])
    expect(asked).toEqual([
      'directory d',
      'directory d/e',
      'file d/e/f',
      'file d/g',
      'file h',
      'directory node_modules',
    ])
  })

  test('modes are normal, as in the source, or what a function says', async () => {
    mkdirSync(at('d'))
    file('x')
    file('y')
    chmodSync(at('d'), 0o2700)
    chmodSync(at('x'), 0o4710)
    chmodSync(at('y'), 0o606)
    const modes = async (mode?: FromDirectoryOptions['mode']) => (await inputsOf({ mode })).map(input => input.mode)
    expect(await modes()).toEqual([0o755, 0o755, 0o644])
    expect(await modes('source')).toEqual([0o2700, 0o4710, 0o606])
    expect(await modes((path, type, mode) => (path === 'x' && type === 'file' ? mode & 0o777 : 0))).toEqual([
      0, 0o710, 0,
    ])
  })

  test('times are zero, SOURCE_DATE_EPOCH, a number, or whole seconds of the source', async () => {
    file('f')
    utimesSync(at('f'), 5, 1234.75)
    const times = async (mtime?: FromDirectoryOptions['mtime']) => (await inputsOf({ mtime })).map(input => input.mtime)
    const before = process.env.SOURCE_DATE_EPOCH
    try {
      delete process.env.SOURCE_DATE_EPOCH
      expect(await times()).toEqual([0])
      process.env.SOURCE_DATE_EPOCH = '1700000000'
      expect(await times()).toEqual([1700000000])
      expect(await times(77)).toEqual([77])
      expect(await times('source')).toEqual([1234])
      process.env.SOURCE_DATE_EPOCH = 'yesterday'
      expect(await thrownBy(() => times())).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    } finally {
      if (before === undefined) delete process.env.SOURCE_DATE_EPOCH
      else process.env.SOURCE_DATE_EPOCH = before
    }
  })

  test.each(['..', '../x', 'a/../b', 'a\0b', '', 'a/.wh.b'])('at %j is refused', async at => {
    expect(await thrownBy(() => inputsOf({ at }))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })
})

describe('faults', () => {
  test('a directory that does not exist or is a file is refused', async () => {
    file('f')
    for (const path of [at('missing'), at('f')]) {
      const error = await thrownBy(async () => {
        for await (const _ of fromDirectory(path));
      })
      expect(error).toMatchObject({ code: 'ERR_SOURCE_NOT_FOUND', path })
    }
  })

  test('a name that would be a whiteout is refused', async () => {
    file('.wh.passwd')
    expect(await thrownBy(() => inputsOf())).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test.each([
    ['small', 1000],
    ['large', 3_000_000],
  ])('a %s file that is read late and is not what it was fails with a typed error', async (_, size) => {
    const change = async (act: (path: string) => void) => {
      for (const name of ['f', 'g', 'z']) rmSync(at(name), { force: true })
      file('f', Buffer.alloc(size))
      // Enough bytes after it that its content is not kept.
      file('z', Buffer.alloc(6_000_000))
      const [entry] = await inputsOf({ reader: 'inline' })
      act(at('f'))
      return (await thrownBy(() => readAll((entry!.content as () => AsyncIterable<Uint8Array>)()))).code
    }
    expect(await change(path => appendFileSync(path, 'x'))).toBe('ERR_SOURCE_CHANGED')
    expect(await change(path => truncateSync(path, size - 1))).toBe('ERR_SOURCE_CHANGED')
    expect(await change(path => rmSync(path))).toBe('ERR_SOURCE_CHANGED')
    expect(await change(path => writeFileSync(path, Buffer.alloc(size, 1)))).toBe('ERR_SOURCE_CHANGED')
    const replaced = (path: string) => {
      renameSync(path, at('g'))
      file('f', Buffer.alloc(size))
    }
    expect(await change(replaced)).toBe('ERR_SOURCE_CHANGED')
    const linked = (path: string) => {
      renameSync(path, at('g'))
      symlinkSync('g', path)
    }
    expect(await change(linked)).toBe('ERR_SOURCE_CHANGED')
    const fifo = (path: string) => {
      rmSync(path)
      execFileSync('mkfifo', [path])
    }
    if (needsProgram('mkfifo')) expect(await change(fifo)).toBe('ERR_SOURCE_CHANGED')
    expect(openFilesBelow(directory.path)).toEqual([])
  })

  const acts = {
    grows: () => appendFileSync(at('f'), Buffer.alloc(10)),
    shrinks: () => truncateSync(at('f'), 1_500_000),
    'gets a new time': () => utimesSync(at('f'), 5, 5),
  }
  test.each(['thread', 'inline'] as const)('a large file that changes while it is read fails (%s)', async reader => {
    for (let i = 0; i < 300; i++) file(`a${i}`)
    for (const [what, act] of Object.entries(acts)) {
      file('f', Buffer.alloc(9_000_000))
      const read = async () => {
        for await (const { path, content } of fromDirectory(root, { reader })) {
          if (path !== 'f') continue
          let first = true
          for await (const _ of (content as () => AsyncIterable<Uint8Array>)()) {
            if (first) act()
            first = false
          }
        }
      }
      expect(await thrownBy(read), what).toMatchObject({ code: 'ERR_SOURCE_CHANGED', path: at('f') })
      expect(openFilesBelow(root)).toEqual([])
    }
  })

  test('content that is left for the next entry is skipped; to continue with it then fails', async () => {
    file('a', Buffer.alloc(5_000_000))
    file('b', 'next')
    const entries = fromDirectory(root, { reader: 'inline' })
    const first = (await entries.next()).value as TarInput
    const content = (first.content as () => AsyncIterable<Uint8Array>)()[Symbol.asyncIterator]()
    await content.next()
    expect((await entries.next()).value).toMatchObject({ path: 'b' })
    expect(await thrownBy(() => content.next() as Promise<unknown>)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await entries.return()
  })

  test('entries that are collected first can be read later, whole', async () => {
    for (let i = 0; i < 40; i++) file(`f${i}`, Buffer.alloc(200_000, `${i} `))
    file('large', Buffer.alloc(3_000_000, 'large'))
    const direct = await readAll(writeTar(fromDirectory(root)))
    expect((await readAll(writeTar(await inputsOf()))).equals(direct)).toBe(true)
  })

  test.each(['thread', 'inline'] as const)(
    'an abort ends the walk and the reading of a large file (%s)',
    async reader => {
      for (let i = 0; i < 400; i++) file(`f${String(i).padStart(3, '0')}`)
      file('large', Buffer.alloc(9_000_000))
      for (const last of ['f003', 'f350']) {
        const controller = new AbortController()
        const walk = async () => {
          for await (const { path } of fromDirectory(root, { signal: controller.signal, reader })) {
            if (path === last) controller.abort('enough')
          }
        }
        expect(await thrownBy(walk)).toBe('enough')
      }
      const later = new AbortController()
      const read = async () => {
        for await (const { path, content } of fromDirectory(root, { signal: later.signal, reader })) {
          if (path !== 'large') continue
          for await (const _ of (content as () => AsyncIterable<Uint8Array>)()) later.abort('enough')
        }
      }
      expect(await thrownBy(read)).toBe('enough')
      expect(openFilesBelow(root)).toEqual([])
    },
  )

  test('the event loop continues while many files are walked', async () => {
    for (let i = 0; i < 1000; i++) file(`f${i}`)
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await readAll(writeTar(fromDirectory(root)))
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
  })
})

describe('reproducibility', () => {
  const build = (base: string, order: 1 | -1) => {
    const names = ['a', 'b', 'b/c', 'd'].slice()
    mkdirSync(base)
    mkdirSync(join(base, 'b'))
    for (const name of order === 1 ? names : names.reverse()) {
      if (name !== 'b') writeFileSync(join(base, name), name, { mode: name === 'a' ? 0o777 : 0o666 })
    }
    symlinkSync('a', join(base, 'l'))
  }

  test('order of creation, umask, time and place change no byte', async () => {
    const before = process.umask(0o022)
    try {
      build(at('one'), 1)
      process.umask(0o077)
      build(at('two'), -1)
    } finally {
      process.umask(before)
    }
    utimesSync(at('two', 'a'), 1, 1)
    const [one, two] = await Promise.all(['one', 'two'].map(name => readAll(writeTar(fromDirectory(at(name))))))
    expect(one!.equals(two!)).toBe(true)
  })

  test.runIf(needsProgram('tar') && needsProgram('diff'))('GNU tar and bsdtar unpack the same tree', async () => {
    mkdirSync(at('in/d'), { recursive: true })
    writeFileSync(at('in/d/ü'), 'umlaut')
    writeFileSync(at('in/x'), 'run', { mode: 0o755 })
    writeFileSync(at(`in/${'n'.repeat(200)}`), 'long')
    linkSync(at('in/x'), at('in/y'))
    symlinkSync('../x', at('in/d/l'))
    chmodSync(at('in/d'), 0o755)
    const input = await readAll(writeTar(fromDirectory(at('in'))))
    for (const program of ['tar', 'bsdtar'].filter(needsProgram)) {
      mkdirSync(at(program))
      execFileSync(program, ['-xpf', '-', '-C', at(program)], { input, env: { ...process.env, LC_ALL: 'C.UTF-8' } })
      execFileSync('diff', ['-r', '--no-dereference', at('in'), at(program)])
      const again = await readAll(writeTar(fromDirectory(at(program))))
      expect(again.equals(input)).toBe(true)
    }
  })
})
