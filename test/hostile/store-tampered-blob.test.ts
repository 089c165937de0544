import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { readDocument, type Store } from '../../lib/store/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
const BYTES = Buffer.alloc(1_200_000, 'layerstore')

beforeEach(async () => {
  directory = temporaryDirectory('tampered')
  store = await openStore(directory.path)
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

async function tampered(tamper: (path: string) => void) {
  const { digest } = await store.put(BYTES)
  const path = join(directory.path, 'blobs/sha256', digest.slice(7))
  chmodSync(path, 0o644)
  tamper(path)
  return digest
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const chunk of source) size += chunk.byteLength
  return size
}

const inPlaceOf = (make: (path: string) => void) => (path: string) => {
  rmSync(path)
  make(path)
}
const attacks: [what: string, tamper: (path: string) => void][] = [
  ['cut short', path => truncateSync(path, 1_199_999)],
  ['emptied', path => truncateSync(path, 0)],
  ['made longer', path => appendFileSync(path, 'x')],
  ['of another content', path => writeFileSync(path, Buffer.alloc(1_200_000, 'other'))],
  ['a directory', inPlaceOf(path => mkdirSync(path))],
  ['a symbolic link to a secret', inPlaceOf(path => symlinkSync('/etc/passwd', path))],
  ['a symbolic link to nothing', inPlaceOf(path => symlinkSync('nowhere', path))],
  ['a symbolic link to itself', inPlaceOf(path => symlinkSync(path, path))],
]
if (needsProgram('mkfifo')) attacks.push(['a fifo', inPlaceOf(path => void execFileSync('mkfifo', [path]))])

test.each(attacks)('a blob that was %s is corrupt, whatever is read of it', async (_, tamper) => {
  const digest = await tampered(tamper)
  const error = await thrownBy(() => drain(store.read(digest)))
  expect(error.code).toBe('ERR_BLOB_CORRUPT')
  expect(error.message).not.toContain(directory.path)
  expect((await thrownBy(() => readDocument(store, { mediaType: 'a/b', digest, size: BYTES.byteLength }))).code).toBe(
    'ERR_BLOB_CORRUPT',
  )
  expect(openFilesBelow(directory.path)).toEqual([])
})

test('a blob that is no regular file does not exist for stat and list, and put brings it back', async () => {
  const digest = await tampered(inPlaceOf(path => symlinkSync('/etc/passwd', path)))
  expect(await store.stat(digest)).toBeUndefined()
  for await (const _ of store.list()) expect.unreachable()
  await store.put(BYTES, { digest })
  expect(await drain(store.read(digest))).toBe(BYTES.byteLength)
})

test('once-per-process looks again when the file has changed', async () => {
  const { digest } = await store.put(BYTES)
  const read = () => drain(store.read(digest, { verify: 'once-per-process' }))
  await read()
  await read()
  const path = join(directory.path, 'blobs/sha256', digest.slice(7))
  chmodSync(path, 0o644)
  writeFileSync(path, Buffer.alloc(1_200_000, 'other'))
  expect((await thrownBy(read)).code).toBe('ERR_BLOB_CORRUPT')
  expect(await drain(store.read(digest, { verify: 'never' }))).toBe(BYTES.byteLength)
  // A read that found the blob corrupt must not count as a verification.
  expect((await thrownBy(read)).code).toBe('ERR_BLOB_CORRUPT')
})

test('a blob that is changed while it is read is corrupt at the end', async () => {
  const { digest } = await store.put(BYTES)
  const path = join(directory.path, 'blobs/sha256', digest.slice(7))
  chmodSync(path, 0o644)
  const error = await thrownBy(async () => {
    for await (const _ of store.read(digest)) truncateSync(path, 600_000)
  })
  expect(error.code).toBe('ERR_BLOB_CORRUPT')
})

test('foreign files among the blobs are skipped and stay', async () => {
  const { digest, size } = await store.put(BYTES)
  const folder = join(directory.path, 'blobs/sha256')
  const foreign = ['.DS_Store', 'A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(64)}.tmp`, `x${'a'.repeat(63)}`]
  for (const name of foreign) writeFileSync(join(folder, name), 'x')
  mkdirSync(join(folder, 'b'.repeat(64)))
  mkdirSync(join(directory.path, 'blobs/md5'))
  writeFileSync(join(directory.path, 'blobs/sha512'), 'not a directory')
  const listed = []
  for await (const blob of store.list()) listed.push(blob)
  expect(listed).toEqual([{ digest, size }])
})

test('a blobs directory that leads elsewhere is refused', async () => {
  using elsewhere = temporaryDirectory('elsewhere')
  const link = (name: string) => {
    rmSync(join(directory.path, name), { recursive: true, force: true })
    symlinkSync(elsewhere.path, join(directory.path, name))
  }
  mkdirSync(join(directory.path, 'blobs'), { recursive: true })
  link('blobs/sha256')
  expect((await thrownBy(() => openStore(directory.path))).code).toBe('ERR_STORE_FORMAT')
  link('blobs')
  const error = await thrownBy(() => openStore(directory.path))
  expect(error.code).toBe('ERR_STORE_FORMAT')
  expect(error.message).toContain('blobs is a symbolic link, not a directory')
  expect(await digestOf(BYTES)).toBeDefined()
})

test('a directory of our own that leads elsewhere is refused', async () => {
  using elsewhere = temporaryDirectory('elsewhere')
  rmSync(join(directory.path, '.layerstore'), { recursive: true })
  symlinkSync(elsewhere.path, join(directory.path, '.layerstore'))
  expect((await thrownBy(() => openStore(directory.path))).message).toContain(
    '.layerstore is a symbolic link, not a directory',
  )
})
