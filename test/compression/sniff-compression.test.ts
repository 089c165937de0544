import { expect, test } from 'vitest'
import { sniffCompression } from '../../lib/compression/index.ts'
import { cut } from '../helpers/cut.ts'
import { readAll } from '../helpers/read-all.ts'
import { watchedSource } from '../helpers/watched-source.ts'

test.each([1, 2, 5, 6, 100])('looking loses no byte of chunks of %i', async size => {
  const bytes = Buffer.from('1f8b080011223344556677', 'hex')
  const { type, content } = await sniffCompression(cut(bytes, size))
  expect(type).toBe('gzip')
  expect(await readAll(content)).toEqual(bytes)
})

test('a source that reuses its buffer is recognised', async () => {
  const buffer = Buffer.alloc(1)
  const source = (function* () {
    for (const byte of Buffer.from('28b52ffd00', 'hex')) {
      buffer[0] = byte
      yield buffer
    }
  })()
  const { type, content } = await sniffCompression(source)
  expect(type).toBe('zstd')
  expect((await readAll(content)).toString('hex')).toBe('28b52ffd00')
})

test('empty chunks and an empty stream are no compression', async () => {
  const { type, content } = await sniffCompression([new Uint8Array(), new Uint8Array()])
  expect(type).toBe('none')
  expect(await readAll(content)).toHaveLength(0)
})

test('a stream that was only looked at can be stopped', async () => {
  const { source, state } = watchedSource([Buffer.alloc(10), Buffer.alloc(10)])
  const { content } = await sniffCompression(source)
  await content.return()
  expect(state).toEqual({ taken: 1, returned: true })
})

test('a stream left in the middle is stopped, one that failed is not', async () => {
  const { source, state } = watchedSource([Buffer.alloc(10), Buffer.alloc(10), Buffer.alloc(10)])
  let seen = 0
  for await (const _ of (await sniffCompression(source)).content) if (++seen === 2) break
  expect(state).toEqual({ taken: 2, returned: true })

  const fault = new Error('fault')
  const failing = (async function* () {
    yield Buffer.alloc(10)
    throw fault
  })()
  await expect(readAll((await sniffCompression(failing)).content)).rejects.toBe(fault)
})
