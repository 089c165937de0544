import {
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  type ContextSource,
  contextDigest,
  contextTar,
  listContext,
  openContext,
  planFileCopy,
} from '../../../lib/build/index.ts'
import { compress } from '../../../lib/compression/index.ts'
import { digestOf } from '../../../lib/digest/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { readTar } from '../../../lib/tar/index.ts'
import { listenAt } from '../../helpers/listen-at.ts'
import { readAll } from '../../helpers/read-all.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

function makeContext(files: Record<string, string>) {
  const directory = temporaryDirectory('context')
  for (const [path, content] of Object.entries(files)) write(directory.path, path, content)
  return directory
}

function write(directory: string, path: string, content: string): void {
  mkdirSync(join(directory, path, '..'), { recursive: true })
  writeFileSync(join(directory, path), content)
}

async function pathsIn(source: ContextSource, options = {}): Promise<string[]> {
  await using context = await openContext(source, options)
  return (await readAllEntries(contextTar(context))).map(({ path }) => path).sort()
}

async function readAllEntries(bytes: AsyncIterable<Uint8Array>) {
  const found = []
  for await (const entry of readTar(bytes)) {
    found.push({
      path: entry.path,
      type: entry.type,
      linkname: entry.linkname,
      text: (await readAll(entry.content)).toString(),
    })
  }
  return found
}

async function untilSettled(path: string): Promise<void> {
  while (Date.now() - statSync(path).ctimeMs < 150) await setTimeout(20)
}

const past = new Date('2020-01-01T00:00:00Z')

describe('a directory as a context', () => {
  test('leaves out what the ignore file says, and keeps directories that an included path needs', async () => {
    using directory = makeContext({
      '.dockerignore': '# all\n*\n!src\nsrc/*.log\n!deep/a/keep\n',
      Dockerfile: 'FROM scratch',
      'src/a.js': '1',
      'src/b.log': '2',
      'deep/a/keep': '3',
      'deep/a/drop': '4',
      'deep/b/drop': '5',
    })
    expect(await pathsIn(directory.path)).toEqual(['deep', 'deep/a', 'deep/a/keep', 'src', 'src/a.js'])
  })

  test('prefers the ignore file beside the Dockerfile, and reads both although they are ignored', async () => {
    using directory = makeContext({
      '.dockerignore': 'a',
      'ci/app.Dockerfile': 'FROM x',
      'ci/app.Dockerfile.dockerignore': '*\n!a',
      a: '',
      b: '',
    })
    expect(await pathsIn(directory.path, { dockerfile: 'ci/app.Dockerfile' })).toEqual(['a'])
    expect(await pathsIn(directory.path, { dockerfile: 'other' })).not.toContain('a')
    await using context = await openContext(directory.path, { dockerfile: 'ci/app.Dockerfile' })
    expect(context.ignoreFile).toBe('ci/app.Dockerfile.dockerignore')
    expect(Buffer.from((await context.readControlFile('ci/app.Dockerfile'))!).toString()).toBe('FROM x')
    expect(context.tree.stat('ci')).toBeUndefined()
    expect(await context.readControlFile('none')).toBeUndefined()
  })

  test('names the pattern that leaves a missing source out', async () => {
    using directory = makeContext({ '.dockerignore': 'a\n*.log\n', 'x.log': '' })
    await using context = await openContext(directory.path)
    const copy = (path: string) => planFileCopy({ sources: [{ tree: context.tree, path }], destination: '/' })
    await expect(copy('x.log')).rejects.toThrow(/"x.log" is not in the build context: the ignore pattern \*.log/)
    await expect(copy('none.log')).rejects.toThrow(/"none.log" is not in the build context$/)
  })

  test('says why each path is in or out', async () => {
    using directory = makeContext({
      '.dockerignore': '# logs\n*.log\nd\n!d/keep\ne\n',
      'a.log': '',
      b: 'xy',
      'd/keep': '',
      'd/x': '',
      'e/f': '',
    })
    await using context = await openContext(directory.path)
    expect([...listContext(context)]).toEqual([
      { path: '.dockerignore', type: 'file', size: 25, included: true },
      { path: 'a.log', type: 'file', size: 0, included: false, pattern: '*.log', line: 2 },
      { path: 'b', type: 'file', size: 2, included: true },
      { path: 'd', type: 'directory', size: 0, included: true, pattern: 'd', line: 3, neededFor: 'an included path' },
      { path: 'd/keep', type: 'file', size: 0, included: true, pattern: '!d/keep', line: 4 },
      { path: 'd/x', type: 'file', size: 0, included: false, pattern: 'd', line: 3 },
      { path: 'e', type: 'directory', size: 0, included: false, pattern: 'e', line: 5, notRead: true },
    ])
  })

  test('is led out of by no link, neither of a directory nor of a file', async () => {
    using outside = makeContext({ secret: 'x' })
    using directory = makeContext({ a: '1' })
    symlinkSync(outside.path, join(directory.path, 'dir'))
    symlinkSync(join(outside.path, 'secret'), join(directory.path, 'file'))
    symlinkSync(join(outside.path, 'secret'), join(directory.path, 'Dockerfile'))
    await using context = await openContext(directory.path)
    expect(context.tree.stat('dir/secret')).toBeUndefined()
    expect(context.tree.list('dir')).toEqual([])
    expect(context.tree.stat('file')).toMatchObject({ type: 'symlink', linkname: join(outside.path, 'secret') })
    expect(await context.readControlFile('Dockerfile')).toBeUndefined()
    expect((await readAllEntries(contextTar(context))).map(({ text }) => text)).not.toContain('x')
  })

  test('keeps hard links, and leaves sockets out', async () => {
    using directory = makeContext({ a: 'x', 'd/large': 'y'.repeat(600_000) })
    linkSync(join(directory.path, 'a'), join(directory.path, 'b'))
    const server = await listenAt(join(directory.path, 's'))
    try {
      await using context = await openContext(directory.path)
      const entries = await readAllEntries(contextTar(context))
      expect(entries.map(({ path, type, linkname }) => [path, type, linkname])).toEqual([
        ['d', 'directory', undefined],
        ['a', 'file', undefined],
        ['d/large', 'file', undefined],
        ['b', 'hardlink', 'a'],
      ])
      expect(entries[2]!.text.length).toBe(600_000)
    } finally {
      await new Promise(resolve => server.close(resolve))
    }
  })

  test('that is none is a typed error', async () => {
    using directory = makeContext({ a: '', '.dockerignore': '[' })
    const notFound = expect.objectContaining({ code: 'ERR_SOURCE_NOT_FOUND' })
    await expect(openContext(join(directory.path, 'none'))).rejects.toThrow(notFound)
    await expect(openContext(join(directory.path, 'a'))).rejects.toThrow(notFound)
    const invalid = expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' })
    await expect(openContext(directory.path)).rejects.toThrow(invalid)
  })
})

describe('the digests of a context', () => {
  const digestNow = async (path: string, store: Awaited<ReturnType<typeof createMemoryStore>>) => {
    await using context = await openContext(path, { store })
    return await contextDigest(context)
  }

  test('notice an edit that keeps the size and restores the time', async () => {
    await using store = createMemoryStore()
    using directory = makeContext({ f: 'aaaa', g: 'same' })
    const place = join(directory.path, 'f')
    utimesSync(place, past, past)
    const before = await digestNow(directory.path, store)
    expect(await digestNow(directory.path, store)).toBe(before)
    writeFileSync(place, 'bbbb')
    utimesSync(place, past, past)
    expect(await digestNow(directory.path, store)).not.toBe(before)
  })

  test('are kept from build to build, so that an unchanged file is not read again', async () => {
    await using store = createMemoryStore()
    using directory = makeContext({ f: 'aaaa', 'd/g': 'b' })
    // A digest is kept if the file was not changed just before it was hashed.
    await untilSettled(join(directory.path, 'd/g'))
    await digestNow(directory.path, store)
    await using context = await openContext(directory.path, { store })
    const files = ['d/g', 'f'].map(path => context.tree.stat(path)!)
    rmSync(directory.path, { recursive: true })
    expect(await context.tree.digests(files)).toEqual([
      await digestOf(Buffer.from('b')),
      await digestOf(Buffer.from('aaaa')),
    ])
  })

  test('are equal for a directory, an archive and files in memory, whatever their times and owners are', async () => {
    await using store = createMemoryStore()
    using directory = makeContext({ f: 'aaaa', 'd/g': 'b' })
    await using disk = await openContext(directory.path)
    const digest = await contextDigest(disk)
    const tar = await readAll(contextTar(disk))
    const zipped = await readAll(compress([tar], { type: 'gzip' }))
    for (const source of [{ tar }, { tar: zipped }, { files: { f: 'aaaa', 'd/g': () => Buffer.from('b') } }]) {
      await using context = await openContext(source, { store })
      expect(await contextDigest(context)).toBe(digest)
    }
    await using other = await openContext({ files: { f: 'aaab', 'd/g': 'b' } })
    expect(await contextDigest(other)).not.toBe(digest)
  })

  test.each<[string, (place: string) => void]>([
    ['is rewritten', place => writeFileSync(place, 'changed')],
    [
      'is replaced by an equal one',
      place => {
        writeFileSync(`${place}.new`, 'before!')
        renameSync(`${place}.new`, place)
      },
    ],
    ['vanishes', place => unlinkSync(place)],
    [
      'becomes a directory',
      place => {
        unlinkSync(place)
        mkdirSync(place)
      },
    ],
    [
      'becomes a link',
      place => {
        unlinkSync(place)
        symlinkSync('/etc/hostname', place)
      },
    ],
  ])('of a file that %s after it was looked at are a typed error', async (_, change) => {
    using directory = makeContext({ f: 'before!' })
    await using context = await openContext(directory.path)
    const seen = context.tree.stat('f')!
    change(join(directory.path, 'f'))
    const changed = expect.objectContaining({ code: 'ERR_SOURCE_CHANGED' })
    await expect(context.tree.digests([seen])).rejects.toThrow(changed)
    await expect(context.tree.open([seen])[Symbol.asyncIterator]().next()).rejects.toThrow(changed)
  })
})

describe('an archive as a context', () => {
  test('is taken whole, and refused if it is no archive or compressed in a way that is not read', async () => {
    await using store = createMemoryStore()
    using directory = makeContext({ '.dockerignore': 'a', a: '1', b: '2' })
    await using disk = await openContext(directory.path, { ignore: [] })
    const tar = await readAll(contextTar(disk))
    expect(await pathsIn({ tar }, { store })).toEqual(['.dockerignore', 'a', 'b'])
    await expect(openContext({ tar: Buffer.from('no archive') }, { store })).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_TAR' }),
    )
    await expect(openContext({ tar: Buffer.from('BZh91AY&SY') }, { store })).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED_COMPRESSION' }),
    )
    await expect(openContext({ tar })).rejects.toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    for await (const lease of store.leases.list()) expect.fail(`${lease.label} is still held`)
  })
})
