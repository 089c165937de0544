import { existsSync, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  digestOf,
  type FileLender,
  type HasherEngine,
  type ReturnedFile,
  restoreDigester,
  setHashWorkers,
  TakenBytes,
  takenBytes,
} from '../../lib/digest/index.ts'
import { forceBlobThreads } from '../../lib/digest/worker/hash-workers.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import type { RegistryClientOptions } from '../../lib/registry/index.ts'
import { addClient, blobThreads, dropClient } from '../../lib/registry/transport/threads/blob-threads.ts'
import { createRegistryServer } from '../../lib/server/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry, type FaultyRegistry } from '../../lib/testing/index.ts'
import { planPull, type RunPullOptions, runPull } from '../../lib/transfer/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { selfSignedCertificate } from '../helpers/self-signed-certificate.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { twentyLayers } from '../helpers/twenty-layers.ts'

const MIB = 1024 * 1024
const LAYER = 9 * MIB + 12_345
const image = twentyLayers(LAYER, 1)
const { bytes, descriptor } = image.layers[0]!
const { digest } = descriptor
const blob = { method: 'GET', path: new RegExp(digest) }
/** Longer than the interval in which a store saves the progress of an ingest. */
const long = twentyLayers(17 * MIB, 1)
let directory: ReturnType<typeof temporaryDirectory>
let remote: Store
let registry: FaultyRegistry
/** Store of the last pull. */
let opened: Store

/** Threads end with the last client; this one keeps them for the next test. */
const keeper = addClient({ timeouts: { connectMs: 0, answerMs: 0, uploadAnswerMs: 0, idleMs: 0 } })

beforeAll(async () => {
  remote = createMemoryStore()
  for (const [name, { blobs, manifest }] of Object.entries({ 'app:1': image, 'app:long': long })) {
    for (const each of [...blobs, manifest]) await remote.put(each.bytes)
    await remote.references.set(name, manifest.descriptor)
  }
})
afterAll(() => {
  forceBlobThreads(undefined)
  dropClient(keeper)
})
beforeEach(async () => {
  forceBlobThreads(3)
  directory = temporaryDirectory('blob-threads')
  registry = await createFaultyRegistry({ store: remote })
})
afterEach(async () => {
  await registry.close()
  directory[Symbol.dispose]()
})

/** Number of exchanges that threads have begun. */
const exchanges = () => blobThreads().reduce((sum, thread) => sum + thread.exchanges, 0)
const openExchanges = () => blobThreads().reduce((sum, thread) => sum + thread.load, 0)
interface Pull extends RunPullOptions {
  readonly client?: RegistryClientOptions
  readonly hasher?: HasherEngine
  readonly host?: string
  readonly tag?: string
}
/** Pulls with a store and a client of its own; resolves to the exchanges in threads and to the stored layer. */
const pull = async ({ client = {}, hasher = 'wasm', host = registry.host, tag = '1', ...options }: Pull = {}) => {
  const before = exchanges()
  opened = await openStore(directory.path, { hasher })
  await using store = opened
  await using from = registryClientFor(client)
  const result = await runPull(await planPull(from, store, `${host}/app:${tag}`), options)
  return { result, inThreads: exchanges() - before, layer: storedLayer() }
}
/** Whether the file of the layer has its bytes. */
const storedLayer = () =>
  readFileSync(join(directory.path, 'blobs/sha256', digest.slice(7))).equals(bytes) ? 'whole' : 'wrong'
/** Ranges of the requests for the layer. */
const ranges = () => registry.seen.filter(({ path }) => path.includes(digest)).map(({ headers }) => headers.range)
const ingests = () => join(directory.path, '.layerstore/ingests')
const findIngest = () => join(ingests(), readdirSync(ingests())[0]!)
const ingestFiles = () => (existsSync(ingests()) && readdirSync(ingests()).length > 0 ? readdirSync(findIngest()) : [])
const savedState = () => JSON.parse(readFileSync(join(findIngest(), 'state.json'), 'utf8'))

describe.each(['wasm', 'native'] as const)('a long blob of a pull with hasher %s', hasher => {
  test('goes through a thread into the store, and its progress is told', async () => {
    const moved: number[] = []
    const onProgress: RunPullOptions['onProgress'] = event => {
      if (event.type === 'blob' && event.digest === digest) moved.push(event.bytes)
    }
    const { result, inThreads, layer } = await pull({ hasher, onProgress })
    expect(inThreads).toBe(1)
    expect(layer).toBe('whole')
    expect(result).toMatchObject({ bytesFetchedAgain: 0 })
    expect(moved[0]).toBe(0)
    expect(moved.at(-1)).toBe(LAYER)
    expect(moved).toEqual([...moved].sort((a, b) => a - b))
  })

  test('goes through a thread over TLS, with a certificate authority of the client, on two processors too', async () => {
    forceBlobThreads(2)
    const { key, cert } = selfSignedCertificate()
    const behind = createRegistryServer(remote)
    const server = createServer({ key, cert }, behind.handler)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const host = `localhost:${(server.address() as AddressInfo).port}`
    const { inThreads, layer } = await pull({ hasher, host, client: { ca: cert, plainHttp: () => false } })
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    await behind.close()
    expect(inThreads).toBe(1)
    expect(layer).toBe('whole')
  })

  test('stays on the calling thread over plain http on two processors', async () => {
    forceBlobThreads(2)
    const { inThreads, layer } = await pull({ hasher })
    expect(inThreads).toBe(0)
    expect(layer).toBe('whole')
  })

  test('is resumed by a range if the connection breaks', async () => {
    registry.misbehave({ kind: 'cut', after: 3 * MIB, reset: true }, blob)
    const { result, layer } = await pull({ hasher })
    expect(ranges()).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d{5,6}-$/)])
    expect(result).toMatchObject({ bytesFetchedAgain: 0 })
    expect(layer).toBe('whole')
  })

  test('is whole if the registry ignores the range after a break', async () => {
    registry.misbehave({ kind: 'cut', after: 3 * MIB }, blob)
    registry.misbehave({ kind: 'ignore-range' }, blob)
    expect((await pull({ hasher })).layer).toBe('whole')
  })

  test('is refused if a byte is wrong', async () => {
    registry.misbehave({ kind: 'flip', at: 7 * MIB }, { ...blob, times: 9 })
    await expect(pull({ hasher })).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
    expect(openExchanges()).toBe(0)
  })

  test('leaves a part that another process resumes', async () => {
    registry.misbehave({ kind: 'cut', after: 3 * MIB }, blob)
    await expect(pull({ hasher, client: { retries: { tries: 1 } } })).rejects.toMatchObject({ code: 'ERR_NETWORK' })
    const { offset } = savedState()
    expect(offset).toBeGreaterThan(0)
    expect((await pull({ hasher })).layer).toBe('whole')
    expect(ranges()).toEqual([undefined, `bytes=${offset}-`])
  })
})

describe('a thread with a blob', () => {
  /** Pulls from a registry that stalls after 3 MiB; resolves when these are in the file. */
  const stalledPull = async (options: Pull = {}) => {
    registry.misbehave({ kind: 'stall', after: 3 * MIB }, blob)
    const pulled = pull(options)
    pulled.catch(() => undefined)
    await expect.poll(() => ingestFiles().includes('data') && statSync(join(findIngest(), 'data')).size).toBe(3 * MIB)
    return { pulled }
  }

  test('saves progress whose hash is that of the bytes in the file, and a crash loses no more', async () => {
    const { digest: other } = long.layers[0]!.descriptor
    const path = new RegExp(other)
    registry.misbehave({ kind: 'stall', after: 16 * MIB }, { method: 'GET', path })
    const pulled = pull({ tag: 'long' })
    pulled.catch(() => undefined)
    await expect.poll(() => ingestFiles()).toContain('state.json')
    const { offset, checkpoint } = savedState()
    const part = readFileSync(join(findIngest(), 'data')).subarray(0, offset)
    expect(part.byteLength).toBe(offset)
    expect((await restoreDigester(checkpoint)).digest()).toBe(await digestOf(part))
    await Promise.all(blobThreads().map(thread => thread.terminate()))
    await expect(pulled).rejects.toMatchObject({ code: 'ERR_HASHER' })
    expect(savedState()).toMatchObject({ offset, checkpoint })
  })

  test('has returned the file when an aborted pull rejects, and the rest is fetched later', async () => {
    const stop = new AbortController()
    const { pulled } = await stalledPull({ signal: stop.signal })
    expect(openExchanges()).toBe(1)
    const seen = pulled.catch(reason => ({ reason, open: openExchanges() }))
    stop.abort()
    expect(await seen).toEqual({ reason: stop.signal.reason, open: 0 })
    const { offset } = savedState()
    expect(offset).toBeGreaterThan(0)
    registry.behave()
    expect((await pull()).layer).toBe('whole')
    expect(ranges()).toEqual([undefined, `bytes=${offset}-`])
  })

  test('that crashes fails its own blob with a typed error, and the next pull gets another thread', async () => {
    const { pulled } = await stalledPull()
    await Promise.all(blobThreads().map(thread => thread.terminate()))
    await expect(pulled).rejects.toMatchObject({ code: 'ERR_HASHER', message: 'a blob thread ended with code 1' })
    expect(blobThreads()).toEqual([])
    registry.behave()
    expect(await pull()).toMatchObject({ inThreads: 1, layer: 'whole' })
  })

  test('returns its file before the store is closed', async () => {
    const { pulled } = await stalledPull()
    await opened.close()
    expect(openExchanges()).toBe(0)
    await expect(pulled).rejects.toMatchObject({ code: 'ERR_WRITER_CLOSED' })
  })

  test('reports an error of the file to its owner, not as one of the registry', async () => {
    const returned: ReturnedFile[] = []
    const reason = new Error('full')
    // Every write to this device fails.
    const fd = openSync('/dev/full', 'w')
    const file = { fd, position: 0, algorithm: 'sha256', hasher: 'wasm' } as const
    const giveBack = async (back: ReturnedFile) => {
      returned.push(back)
      return { reason }
    }
    const lender: FileLender = { canLend: true, lend: async () => ({ file, giveBack }) }
    await using client = registryClientFor()
    const repository = { registry: registry.host, repository: 'app' }
    const read = readAll(client.fetchBlob(repository, descriptor, { lender }))
    await expect(read).rejects.toMatchObject({ reason })
    expect(returned).toMatchObject([{ position: 0, fault: { code: 'ENOSPC', syscall: 'write' } }])
    expect(ranges()).toEqual([undefined])
  })

  test('yields chunks that only count', async () => {
    await using store = await openStore(directory.path)
    await using writer = await store.ingest('x')
    await using client = registryClientFor()
    const source = client.fetchBlob({ registry: registry.host, repository: 'app' }, descriptor, {
      lender: writer.lender,
    })
    let counted = 0
    for await (const chunk of source) {
      expect(chunk).toBeInstanceOf(TakenBytes)
      counted += chunk.byteLength
      await writer.write(chunk)
    }
    expect(counted).toBe(LAYER)
    expect(writer.offset).toBe(LAYER)
    expect(await writer.commit({ digest })).toEqual({ digest, size: LAYER })
  })
})

describe('a writer whose file is lent', () => {
  const noThread = { progress: async () => ({ position: 0 }), stop: () => {} }

  test('closes the file only after it has the file back', async () => {
    await using store = await openStore(directory.path)
    const writer = await store.ingest('x')
    const order: string[] = []
    const stop = async () => {
      await new Promise(resolve => setTimeout(resolve, 20))
      // A closed descriptor would throw.
      order.push(`returned, file is open: ${fstatSync(loan.file.fd).isFile()}`)
      expect(await loan.giveBack({ position: 0 })).toMatchObject({ reason: { code: 'ERR_WRITER_CLOSED' } })
    }
    const loan = await writer.lender!.lend({ ...noThread, stop })
    await writer.abort()
    order.push('closed')
    expect(order).toEqual(['returned, file is open: true', 'closed'])
  })

  test('reports a full disk as the store does', async () => {
    await using store = await openStore(directory.path)
    await using writer = await store.ingest('x')
    const loan = await writer.lender!.lend(noThread)
    const fault = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' })
    const full = { code: 'ERR_STORE_IO', errno: 'ENOSPC' }
    expect(await loan.giveBack({ position: 0, fault })).toMatchObject({ reason: full })
    await expect(writer.write(bytes)).rejects.toMatchObject(full)
  })

  test('lends it to one thread at a time', async () => {
    await using store = await openStore(directory.path)
    await using writer = await store.ingest('x')
    const loan = await writer.lender!.lend(noThread)
    await expect(writer.lender!.lend(noThread)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await loan.giveBack({ position: 0 })
  })

  test('refuses a commit if no thread has appended the counted bytes', async () => {
    await using store = await openStore(directory.path)
    const writer = await store.ingest('x')
    await writer.write(takenBytes(5))
    await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })
})

describe('no thread takes a blob', () => {
  test('if there are to be no threads', async () => {
    setHashWorkers(0)
    const { inThreads, layer } = await pull()
    setHashWorkers(1)
    expect(inThreads).toBe(0)
    expect(layer).toBe('whole')
  })

  test.each<[string, Pull]>([
    ['if it is fetched in parts', { parallel: 2 }],
    ['if the caller resolves names', { client: { lookup: async () => [{ address: '127.0.0.1', family: 4 }] } }],
  ])('%s', async (_, options) => {
    expect(await pull(options)).toMatchObject({ inThreads: 0, layer: 'whole' })
  })

  test('if the layers are read on their way', async () => {
    const before = exchanges()
    await expect(pull({ verifyDiffIds: true })).rejects.toMatchObject({ code: 'ERR_INVALID_TAR' })
    expect(exchanges()).toBe(before)
  })
})
