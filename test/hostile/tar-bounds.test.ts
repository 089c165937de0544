import { describe, expect, test } from 'vitest'
import { readTar, TarScanner } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { scanTar } from '../helpers/scan-tar.ts'
import { tarBlock, tarEnd, tarMember, tarPax } from '../helpers/tar-block.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const MIB = 1024 * 1024
const first = tarMember({ name: 'first' }, 'abc')
const archive = (...members: Uint8Array[]) => Buffer.concat([...members, tarEnd])
const sparse = (size: number) =>
  archive(
    tarPax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': String(size) }),
    tarMember({ name: 's' }, Buffer.from('0\n'.padEnd(512, '\0'))),
  )

test('an archive cut anywhere is refused, unless an entry ends there', () => {
  const whole = archive(tarPax({ path: 'p' }), first, tarMember({ name: 'second' }, Buffer.alloc(600)))
  const read: number[] = []
  for (let size = 1; size <= whole.byteLength; size++) {
    const verdict = scanTar(whole.subarray(0, size), 700)
    if ('entries' in verdict) read.push(size)
    else if (verdict.code !== 'ERR_INVALID_TAR') throw new Error(`cut at ${size}: ${verdict.code}`)
  }
  expect(read).toEqual([2048, 3584, 3584 + 512, 3584 + 1024])
})

test.each([
  ['x', MIB + 1],
  ['x', 2 ** 32],
  ['g', 2 ** 32],
  ['L', 2 ** 30],
  ['K', 5000],
])('an extended header of type %s that announces %i bytes is refused before anything is kept', (flag, size) => {
  const before = process.memoryUsage().arrayBuffers
  expect(scanTar(tarBlock({ flag, size }), 512)).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB)
})

test('a number of regions is refused before any of them is read', () => {
  const body = Buffer.from('99999999\n'.padEnd(512, '\0'))
  const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '1' }
  const bytes = Buffer.concat([tarPax(pax), tarBlock({ size: 2 ** 32 }), body])
  expect(scanTar(bytes, 512)).toEqual({ code: 'ERR_LIMIT_EXCEEDED', at: undefined })
})

describe('limits that the caller sets', () => {
  const path = 'd/'.repeat(40)
  test.each([
    ['maxEntries', 1, archive(first, first)],
    ['maxBytes', 5, archive(first, first)],
    ['maxBytes', 1000, sparse(1001)],
    ['maxPathBytes', 70, archive(tarMember({ name: `${path}x` }))],
    ['maxPathBytes', 70, archive(tarMember({ flag: '2', linkname: `${path}x` }))],
    ['maxPathBytes', 70, archive(tarMember({ flag: '1', linkname: `${path}x` }))],
    ['maxHeaderBytes', 40, archive(tarPax({ comment: 'c'.repeat(40) }), first)],
    ['maxHeaderBytes', 40, archive(tarMember({ flag: 'L' }, 'n'.repeat(41)), first)],
  ])('%s of %i', async (name, limit, bytes) => {
    const error = await thrownBy(() => readEntries(readTar(bytes, { [name]: limit })))
    expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit })
    const more = await readEntries(readTar(bytes, { [name]: limit * 2 }))
    expect(more.length).toBeGreaterThan(0)
  })

  test('maxPathBytes may be more than 4,096', async () => {
    const long = 'd/'.repeat(3000)
    const [entry] = await readEntries(readTar(archive(tarPax({ path: `${long}x` }), first), { maxPathBytes: 10_000 }))
    expect(entry!.path).toBe(`${long}x`)
  })
})

describe('holes', () => {
  const holesOf = (bytes: Uint8Array, maxRatio?: number) => {
    const scanner = new TarScanner({ maxRatio })
    let size = 0
    const read = () => {
      scanner.push(bytes)
      for (let found = scanner.next(); found; found = scanner.next()) {
        if (found instanceof Uint8Array) size += found.byteLength
      }
    }
    return { read, size: () => size }
  }

  test('more than a GiB of them for a few bytes are refused while they are given out', async () => {
    const { read, size } = holesOf(sparse(2 ** 36))
    expect(await thrownBy(read)).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 1000 })
    expect(size()).toBe(2 ** 30)
  })

  test('a caller that knows its archive may allow more', () => {
    const { read, size } = holesOf(sparse(2 ** 30 + 2 ** 20), 2 ** 20)
    read()
    expect(size()).toBe(2 ** 30 + 2 ** 20)
  })

  test('holes of unread content cost nothing', async () => {
    const paths: string[] = []
    for await (const entry of readTar(cut(sparse(2 ** 39), 700))) paths.push(entry.path)
    expect(paths).toEqual(['s'])
  })
})

test('records named like members of objects do nothing', () => {
  const records = JSON.parse('{"__proto__":"evil","constructor":"evil","SCHILY.xattr.__proto__":"v"}')
  const verdict = scanTar(archive(tarPax(records), first), 512)
  expect(verdict).toMatchObject({ entries: [{ xattrs: new Map([['__proto__', Buffer.from('v')]]) }] })
  expect(({} as { evil?: string }).evil).toBeUndefined()
})
