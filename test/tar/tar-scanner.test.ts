import { describe, expect, test } from 'vitest'
import { TarScanner } from '../../lib/tar/index.ts'
import { tarBlock, tarEnd, tarMember, tarPax } from '../helpers/tar-block.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const bytes = Buffer.concat([tarMember({ name: 'a' }, 'abc'), tarMember({ name: 'b' }, 'y'.repeat(700)), tarEnd])

/** Everything that a scanner returns for one chunk: paths, and sizes of pieces. */
function given(scanner: TarScanner, chunk: Uint8Array): (string | number)[] {
  const found: (string | number)[] = []
  scanner.push(chunk)
  for (let next = scanner.next(); next; next = scanner.next()) {
    found.push(next instanceof Uint8Array ? next.byteLength : next.path)
  }
  return found
}

test('headers and pieces come as far as the chunk goes', () => {
  const scanner = new TarScanner()
  expect(given(scanner, bytes.subarray(0, 100))).toEqual([])
  expect(given(scanner, bytes.subarray(100, 513))).toEqual(['a', 1])
  expect(given(scanner, bytes.subarray(513, 1600))).toEqual([2, 'b', 64])
  expect(given(scanner, bytes.subarray(1600))).toEqual([636])
  expect(given(scanner, Buffer.alloc(0))).toEqual([])
  scanner.end()
})

test('pieces are views of the chunk, offsets count from the begin of the archive', () => {
  const scanner = new TarScanner()
  scanner.push(bytes)
  expect(scanner.next()).toMatchObject({ path: 'a', offset: 512 })
  const piece = scanner.next() as Uint8Array
  expect([piece.buffer, piece.byteOffset]).toEqual([bytes.buffer, bytes.byteOffset + 512])
  expect(scanner.next()).toMatchObject({ path: 'b', offset: 1536 })
})

test('the rest of an entry’s content can be skipped, inside one chunk and across several', () => {
  const scanner = new TarScanner()
  scanner.push(bytes.subarray(0, 1600))
  expect(scanner.next()).toMatchObject({ path: 'a' })
  scanner.skip()
  expect(scanner.next()).toMatchObject({ path: 'b' })
  expect(scanner.next()).toHaveLength(64)
  scanner.skip()
  expect(given(scanner, bytes.subarray(1600, 1900))).toEqual([])
  expect(given(scanner, bytes.subarray(1900))).toEqual([])
  scanner.end()
})

test('an end in content that was left out is still truncation', async () => {
  const scanner = new TarScanner()
  scanner.push(tarBlock({ size: 5000 }))
  scanner.next()
  scanner.skip()
  expect(scanner.next()).toBeUndefined()
  expect(await thrownBy(() => scanner.end())).toMatchObject({ code: 'ERR_INVALID_TAR', at: 'byte 512' })
})

describe('sparse files', () => {
  const pax = {
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': 's',
    'GNU.sparse.realsize': '200000',
  }
  const map = Buffer.from('2\n512\n1024\n199000\n1000\n'.padEnd(512, '\0'))
  const data = Buffer.concat([Buffer.alloc(1024, 1), Buffer.alloc(1000, 2)])
  const sparse = Buffer.concat([tarPax(pax), tarMember({ name: 'x' }, Buffer.concat([map, data])), tarEnd])

  test('a sparse entry has its map, its real size and the offset of its stored bytes', () => {
    const scanner = new TarScanner()
    scanner.push(sparse)
    expect(scanner.next()).toMatchObject({
      path: 's',
      size: 200_000,
      offset: 2048,
      sparse: [
        { offset: 512, length: 1024 },
        { offset: 199_000, length: 1000 },
      ],
    })
  })

  test('holes come as zeros in bounded pieces, data as it is stored', () => {
    const scanner = new TarScanner()
    scanner.push(sparse)
    scanner.next()
    const pieces: Uint8Array[] = []
    for (let next = scanner.next(); next; next = scanner.next()) pieces.push(next as Uint8Array)
    expect(pieces.map(piece => piece.byteLength)).toEqual([512, 1024, 65536, 65536, 65536, 856, 1000])
    const file = Buffer.concat(pieces)
    expect(file.byteLength).toBe(200_000)
    expect(file.subarray(512, 1536).every(byte => byte === 1)).toBe(true)
    expect(file.subarray(1536, 199_000).every(byte => byte === 0)).toBe(true)
    expect(file.subarray(199_000).every(byte => byte === 2)).toBe(true)
  })

  test('they can be left out before they begin and in a hole', () => {
    for (const pieces of [0, 1, 3]) {
      const scanner = new TarScanner()
      scanner.push(sparse)
      scanner.next()
      for (let i = 0; i < pieces; i++) expect(scanner.next()).toBeInstanceOf(Uint8Array)
      scanner.skip()
      expect(scanner.next()).toBeUndefined()
      scanner.end()
    }
  })

  test('an end in a map or in stored data is truncation', async () => {
    for (const size of [1024 + 512, 1024 + 700, 2048, 2048 + 100]) {
      const scanner = new TarScanner()
      given(scanner, sparse.subarray(0, size))
      expect(await thrownBy(() => scanner.end()), `cut at ${size}`).toMatchObject({ code: 'ERR_INVALID_TAR' })
    }
  })
})
