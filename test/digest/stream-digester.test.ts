import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import {
  createStreamDigester,
  type DigestAlgorithm,
  restoreStreamDigester,
  setHashWorkers,
} from '../../lib/digest/index.ts'
import { HashWorker } from '../../lib/digest/worker/hash-worker.ts'
import { placeStream } from '../../lib/digest/worker/hash-workers.ts'
import { WorkerHash } from '../../lib/digest/worker/worker-hash.ts'

const bytes = Buffer.alloc(7_000_001, 'seven million bytes of something that repeats ')
const sha256 = (data: Uint8Array) => `sha256:${createHash('sha256').update(data).digest('hex')}`

async function digestInPieces(data: Uint8Array, piece: number, algorithm: DigestAlgorithm = 'sha256') {
  const digester = await createStreamDigester({ algorithm })
  for (let i = 0; i < data.byteLength; i += piece) await digester.update(data.subarray(i, i + piece))
  expect(digester.bytesHashed).toBe(data.byteLength)
  return digester.digest()
}

afterEach(() => setHashWorkers(1))

/** The worker that holds the one open stream: a second stream would go to the calling thread, a third to the worker. */
async function onlyWorker(): Promise<HashWorker> {
  const [here, away] = [await placeStream(), await placeStream()]
  here.leave()
  away.leave()
  if (here.worker || !away.worker) throw new Error('not exactly one stream is away')
  return away.worker
}

/** Waits until the one worker can take streams. */
async function workerStarted(): Promise<HashWorker> {
  setHashWorkers(1)
  const { worker, leave } = await placeStream()
  await expect.poll(() => worker?.state).toBe('ready')
  leave()
  return worker!
}

describe.each([0, 1, 2, 4])('with %i workers', workers => {
  test.each([1 << 22, 300_000, 65_536, 4_099])('pieces of %i bytes give the digest of the whole', async piece => {
    setHashWorkers(workers)
    expect(await digestInPieces(bytes, piece)).toBe(sha256(bytes))
  })

  test('streams side by side do not mix', async () => {
    setHashWorkers(workers)
    const parts = Array.from({ length: 9 }, (_, i) => bytes.subarray(i * 1000, 3_000_000 + i * 400_000))
    const digests = await Promise.all(parts.map(part => digestInPieces(part, 100_000)))
    expect(digests).toEqual(parts.map(sha256))
  })

  test('a checkpoint is the same wherever the stream was hashed, and continues to the same digest', async () => {
    setHashWorkers(workers)
    for (const cut of [1000, 5_000_000]) {
      const digester = await createStreamDigester()
      await digester.update(bytes.subarray(0, cut))
      const checkpoint = JSON.parse(JSON.stringify(await digester.save()))
      digester.release()
      expect(checkpoint.bytes).toBe(cut)
      const resumed = await restoreStreamDigester(checkpoint)
      await resumed.update(bytes.subarray(cut))
      expect(await resumed.digest()).toBe(sha256(bytes))
    }
  })
})

test('sha512 and blake3 are handed over as well, the native hasher stays on its thread', async () => {
  const inline = async (algorithm: DigestAlgorithm) => {
    setHashWorkers(0)
    const digest = await digestInPieces(bytes, 100_000, algorithm)
    setHashWorkers(2)
    return digest
  }
  for (const algorithm of ['sha512', 'blake3'] as const) {
    expect(await digestInPieces(bytes, 100_000, algorithm)).toBe(await inline(algorithm))
  }
  const native = await createStreamDigester({ hasher: 'native' })
  await native.update(bytes)
  await expect(native.save()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_UNSUPPORTED' })
  expect(await native.digest()).toBe(sha256(bytes))
})

test('a chunk may be overwritten as soon as it was taken', async () => {
  const chunk = Buffer.alloc(500_000)
  const whole: Buffer[] = []
  const digester = await createStreamDigester()
  for (let i = 0; i < 20; i++) {
    chunk.fill(i)
    whole.push(Buffer.from(chunk))
    await digester.update(chunk)
  }
  expect(await digester.digest()).toBe(sha256(Buffer.concat(whole)))
})

test('a digester that has ended takes and gives nothing more', async () => {
  for (const size of [10, 4_000_000]) {
    const digester = await createStreamDigester()
    await digester.update(bytes.subarray(0, size))
    await digester.digest()
    digester.release()
    await expect(digester.update(bytes)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await expect(digester.digest()).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await expect(digester.save()).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  }
})

test('a worker that is ended from outside fails the streams it held, and the next stream gets a new one', async () => {
  await workerStarted()
  const digester = await createStreamDigester()
  await digester.update(bytes)
  await (await onlyWorker()).terminate()
  await expect(digester.digest()).rejects.toMatchObject({ code: 'ERR_HASHER' })
  digester.release()
  expect(await digestInPieces(bytes, 1_000_000)).toBe(sha256(bytes))
})

test('a stream that waits for room is woken when its worker ends', async () => {
  await workerStarted()
  const digester = await createStreamDigester()
  await digester.update(bytes.subarray(0, 3_000_000))
  const behind = digester.update(Buffer.alloc(200_000_000))
  await (await onlyWorker()).terminate()
  await expect(behind).rejects.toMatchObject({ code: 'ERR_HASHER' })
  digester.release()
})

test('a worker that does not come up costs nothing: its stream was hashed on the calling thread all along', async () => {
  const digester = await createStreamDigester()
  await digester.update(bytes.subarray(0, 2_000_000))
  setHashWorkers(0)
  setHashWorkers(1)
  const { worker, leave } = await placeStream()
  leave()
  // A long stream now, but too few bytes for a turn of the event loop, in which the worker could say that it is ready.
  await digester.update(bytes.subarray(2_000_000, 2_200_000))
  expect(worker?.state).toBe('starting')
  await worker?.terminate()
  await digester.update(bytes.subarray(2_200_000))
  expect(await digester.digest()).toBe(sha256(bytes))
  expect(worker?.state).toBe('gone')
})

test('a worker that was started for a stream too short for it does not keep the process alive', async () => {
  setHashWorkers(0)
  setHashWorkers(1)
  const keptAlive = () => process.getActiveResourcesInfo().filter(name => /MessagePort|Worker/.test(name)).length
  const before = keptAlive()
  const { worker, leave } = await placeStream()
  leave()
  await expect.poll(() => worker?.state).toBe('ready')
  expect(keptAlive()).toBe(before)
})

test('streams move when others end: to a worker that has nothing to do, and from a crowded one to the calling thread', async () => {
  const worker = await workerStarted()
  const rest = bytes.subarray(3_000_000)
  const open = async () => {
    const digester = await createStreamDigester()
    await digester.update(bytes.subarray(0, 3_000_000))
    return digester
  }
  const [first, here, third] = [await open(), await open(), await open()]
  expect(worker.load).toBe(2)
  here.release()
  await first.update(rest)
  expect(worker.load).toBe(1)
  await third.update(rest)
  expect(await third.digest()).toBe(sha256(bytes))
  await first.update(Buffer.alloc(1))
  expect(worker.load).toBe(1)
  expect(await first.digest()).toBe(sha256(Buffer.concat([bytes, Buffer.alloc(1)])))
  expect(worker.load).toBe(0)
})

test.each([1, 2, 3, 4, 5, 7])(
  'the worker gives all room back when it has nothing left to do, after %i slots too',
  async slots => {
    const slot = 512 * 1024
    const worker = new HashWorker(() => {})
    const hash = new WorkerHash(worker, 'sha256', 'native')
    const expected = createHash('sha256')
    for (const size of [slots * slot, 4 * slot + 1, slot - 1, slots * slot]) {
      await hash.update(bytes.subarray(0, size))
      expected.update(bytes.subarray(0, size))
      await setTimeout(20)
    }
    expect(await hash.hex()).toBe(expected.digest('hex'))
    await worker.terminate()
  },
)

test('the rings of a worker that has many streams are small, and the digests right', async () => {
  const worker = new HashWorker(() => {})
  const held = () => process.memoryUsage().arrayBuffers
  const open = (count: number) =>
    Array.from({ length: count }, () => {
      worker.reserve()
      return new WorkerHash(worker, 'sha256', 'native')
    })
  const first = open(8)
  const before = held()
  const many = open(40)
  // 128 KiB each, and not 2 MiB.
  expect(held() - before).toBeLessThan(40 * 256 * 1024)
  const part = bytes.subarray(0, 500_001)
  await Promise.all([...first, ...many].map(hash => hash.update(part)))
  const digests = await Promise.all([...first, ...many].map(hash => hash.hex()))
  expect(new Set(digests)).toEqual(new Set([sha256(part).slice(7)]))
  await worker.terminate()
})

test('a state that the hasher does not know fails its stream only', async () => {
  const worker = new HashWorker(() => {})
  const bad = new WorkerHash(worker, 'sha256', 'wasm', new Uint8Array(116))
  const good = new WorkerHash(worker, 'sha256', 'native')
  // The worker answers in order, so it has rejected the state before the test awaits the result.
  await new WorkerHash(worker, 'sha256', 'wasm').hex()
  await expect(bad.hex()).rejects.toMatchObject({ code: 'ERR_HASHER' })
  await good.update(bytes)
  expect(await good.hex()).toBe(sha256(bytes).slice(7))
  await worker.terminate()
})

test('numbers of workers that make no sense are refused', () => {
  for (const count of [-1, 1.5, 65, Number.NaN])
    expect(() => setHashWorkers(count)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
})

test('a reservation of a worker is cancelled once', async () => {
  const { HashWorker } = await import('../../lib/digest/worker/hash-worker.ts')
  const worker = new HashWorker(() => {})
  const [one, two] = [worker.reserve(), worker.reserve()]
  one()
  one()
  expect(worker.load).toBe(1)
  two()
  expect(worker.load).toBe(0)
  await worker.terminate()
})
