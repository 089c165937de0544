import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { syncDirectory, writeFileAtomic } from '../../lib/internal/atomic-file.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'layerstore-atomic-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test.each([true, false])('a file is made or replaced as a whole (durable: %s)', async durable => {
  const path = join(directory, 'file')
  await writeFileAtomic(path, Buffer.from('old and long'), { durable })
  await writeFileAtomic(path, Buffer.from('new'), { durable })
  expect(readFileSync(path, 'utf8')).toBe('new')
  expect(readdirSync(directory)).toEqual(['file'])
})

test('a failure leaves no temporary file and the old content', async () => {
  const path = join(directory, 'occupied')
  mkdirSync(path)
  writeFileSync(join(path, 'child'), 'x')
  expect((await thrownBy(() => writeFileAtomic(path, Buffer.from('new')))).code).toMatch(
    /^(EISDIR|ENOTEMPTY|EEXIST|EPERM)$/,
  )
  expect(readdirSync(directory)).toEqual(['occupied'])
})

test('a directory that does not exist is the error of the system', async () => {
  expect(await thrownBy(() => writeFileAtomic(join(directory, 'no', 'file'), Buffer.from('x')))).toMatchObject({
    code: 'ENOENT',
  })
  expect(await thrownBy(() => syncDirectory(join(directory, 'no')))).toMatchObject({ code: 'ENOENT' })
})

test('a reader sees the old file or the new one, never a part', async () => {
  const path = join(directory, 'file')
  const sizes = [1_000_000, 500_000]
  await writeFileAtomic(path, Buffer.alloc(sizes[0]!, 0), { durable: false })
  let writing = true
  const writer = (async () => {
    for (let i = 1; i <= 20; i++) await writeFileAtomic(path, Buffer.alloc(sizes[i % 2]!, i), { durable: false })
    writing = false
  })()
  while (writing) {
    const seen = readFileSync(path)
    expect(sizes).toContain(seen.length)
    expect(seen.every(byte => byte === seen[0])).toBe(true)
    await new Promise(resolve => setImmediate(resolve))
  }
  await writer
})

test('writers at the same time do not fall over each other', async () => {
  const path = join(directory, 'file')
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => writeFileAtomic(path, Buffer.from(`${i}`), { durable: false })),
  )
  expect(Number(readFileSync(path, 'utf8'))).toBeLessThan(20)
  expect(readdirSync(directory)).toEqual(['file'])
  expect(statSync(path).mode & 0o200).toBe(0o200)
})
