import { fstatSync, readSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Digest, LentBytes, type LoanFault } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import type { ReadBlobOptions } from '../../lib/store/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const { bytes, descriptor } = sampleBlob(1_100_000)
const { digest } = descriptor
let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  directory = temporaryDirectory('lent-reads')
})
afterEach(() => directory[Symbol.dispose]())

type Behaviour = (chunk: LentBytes, isLast: boolean) => void

/** A borrower that reads as a thread does. */
const honest: Behaviour = ({ loan }, isLast) => void (isLast && loan.prove())
const failing =
  (fault: LoanFault): Behaviour =>
  chunk =>
    chunk.loan.fail(fault)

/** Reads a lent blob; resolves to whether its bytes were right, and to what its loans were to prove. */
async function borrow(options: ReadBlobOptions = {}, behave = honest) {
  await using store = await openStore(directory.path)
  await store.put(bytes)
  const proofs = new Set<Digest | undefined>()
  const read: Buffer[] = []
  let position = options.offset ?? 0
  for await (const chunk of store.readLent!(digest, options)) {
    expect(chunk).toBeInstanceOf(LentBytes)
    const { loan, byteLength } = chunk as LentBytes
    const { fd, proof } = loan.source
    proofs.add(proof?.digest)
    const memory = Buffer.alloc(byteLength)
    readSync(fd, memory, 0, byteLength, (chunk as LentBytes).position)
    read.push(memory)
    position += byteLength
    behave(chunk as LentBytes, position === bytes.length)
  }
  return { isRight: bytes.subarray(options.offset ?? 0).equals(Buffer.concat(read)), proofs: [...proofs] }
}

test('a lent blob is verified by its thread as a whole, and not from the middle on', async () => {
  expect(await borrow()).toEqual({ isRight: true, proofs: [digest] })
  expect(await borrow({ offset: 700_000 })).toEqual({ isRight: true, proofs: [undefined] })
  expect(await borrow({ verify: 'never' })).toEqual({ isRight: true, proofs: [undefined] })
})

test('a blob that a thread has verified once is not verified again', async () => {
  await using store = await openStore(directory.path, { verify: 'once-per-process' })
  await store.put(bytes)
  const proofOfNext = async () => {
    const chunks: LentBytes[] = []
    for await (const chunk of store.readLent!(digest)) {
      chunks.push(chunk as LentBytes)
      honest(chunk as LentBytes, chunks.length === 3)
    }
    return chunks[0]?.loan.source.proof?.size
  }
  expect([await proofOfNext(), await proofOfNext()]).toEqual([bytes.length, undefined])
})

test('a lent blob that no thread has verified does not pass for read', async () => {
  await expect(borrow({}, () => {})).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})

test('faults of a thread are errors of the store', async () => {
  const error = Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read' })
  const wrong = digest.replace(/.$/, 'x') as Digest
  const read = (fault: LoanFault, options: ReadBlobOptions = {}) => borrow(options, failing(fault))
  await expect(read({ type: 'system', error })).rejects.toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
  await expect(read({ type: 'lost', error })).rejects.toBe(error)
  const cause = new Error('no memory')
  const message = `a thread could not read blob ${digest}: no memory`
  await expect(read({ type: 'system', error: cause })).rejects.toMatchObject({ code: 'ERR_HASHER', message, cause })
  await expect(read({ type: 'digest', actual: wrong })).rejects.toMatchObject({ expected: digest, actual: wrong })
  const short = { code: 'ERR_BLOB_CORRUPT', expected: `size ${bytes.length}`, actual: 'size 7' }
  await expect(read({ type: 'size', actual: 7 })).rejects.toMatchObject(short)
  await expect(read({ type: 'size', actual: 7 }, { offset: 5 })).rejects.toMatchObject(short)
})

test('a corrupt lent blob is moved to quarantine if the store does so', async () => {
  const fault = failing({ type: 'size', actual: 7 })
  const quarantinedTo = expect.stringContaining('quarantine')
  await expect(borrow({ onCorrupt: 'quarantine' }, fault)).rejects.toMatchObject({ quarantinedTo })
})

test('the file of a lent blob is open until its borrower has stopped, also if it is read in part', async () => {
  await using store = await openStore(directory.path)
  await store.put(bytes)
  let isOpen: boolean | undefined
  for await (const chunk of store.readLent!(digest)) {
    const { loan } = chunk as LentBytes
    loan.begin(async () => {
      // A closed descriptor would throw.
      isOpen = fstatSync(loan.source.fd).isFile()
    })
    break
  }
  expect(isOpen).toBe(true)
})

test('an empty blob is verified without a thread', async () => {
  await using store = await openStore(directory.path)
  const empty = await store.put(Buffer.alloc(0))
  expect(await readAll(store.readLent!(empty.digest))).toEqual(Buffer.alloc(0))
})

test('an aborted read of a lent blob rejects with the reason', async () => {
  await using store = await openStore(directory.path)
  await store.put(bytes)
  const stop = new AbortController()
  const read = async () => {
    for await (const _ of store.readLent!(digest, { signal: stop.signal })) stop.abort(new Error('enough'))
  }
  await expect(read()).rejects.toThrow('enough')
})
