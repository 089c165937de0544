import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import type { TakenPiece } from '../../lib/registry/transport/threads/blob-messages.ts'
import { BodyOutbox } from '../../lib/registry/transport/threads/body-outbox.ts'
import { ReadSource } from '../../lib/registry/transport/threads/read-source.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const bytes = Buffer.from('0123456789')

/** Runs work with the descriptor of a file that has the bytes. */
async function withFile(work: (fd: number) => Promise<void>) {
  using directory = temporaryDirectory('thread-bodies')
  const path = join(directory.path, 'file')
  writeFileSync(path, bytes)
  const fd = openSync(path, 'r')
  try {
    await work(fd)
  } finally {
    closeSync(fd)
  }
}

test('a source is proven after its last byte, and refuses bytes out of order', () =>
  withFile(async fd => {
    const proof = { digest: await digestOf(bytes), size: bytes.length, hasher: 'native' } as const
    const memory = Buffer.alloc(6)
    const source = await ReadSource.open({ fd, proof })
    expect(source.read(memory, 0)).toEqual({})
    expect(source.read(memory.subarray(0, 4), 6)).toEqual({ isProven: true })
    source.close()
    const other = await ReadSource.open({ fd, proof })
    expect(other.read(memory, 2)).toMatchObject({ fault: { type: 'system' } })
    other.close()
  }))

test('a source that is closed is not read', () =>
  withFile(async fd => {
    const source = await ReadSource.open({ fd })
    source.close()
    const memory = Buffer.alloc(4, 'x')
    expect(source.read(memory, 0)).toMatchObject({ fault: { type: 'system' } })
    expect(memory.toString()).toBe('xxxx')
  }))

test('an outbox sends what it could read, and ends when its exchange is over', () =>
  withFile(async fd => {
    const source = ReadSource.open({ fd })
    const took: TakenPiece[] = []
    const outbox = new BodyOutbox({
      sourceOf: number => (number === 1 ? source : undefined),
      onTook: piece => took.push(piece),
    })
    outbox.add({ source: 1, position: 2, length: 3 })
    // Taken back meanwhile, and beyond the end of the file.
    outbox.add({ source: 2, position: 0, length: 3 })
    outbox.add({ source: 1, position: 8, length: 3 })
    const chunks = outbox.chunks()
    expect(Buffer.from((await chunks.next()).value!).toString()).toBe('234')
    const end = chunks.next()
    await expect.poll(() => took.length).toBe(2)
    outbox.close()
    expect(await end).toEqual({ done: true, value: undefined })
    expect(took).toEqual([{}, { fault: { type: 'size', actual: 10 } }])
  }))
