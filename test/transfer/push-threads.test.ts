import { appendFileSync, chmodSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type HasherEngine, LentBytes, SourceLoan, setHashWorkers } from '../../lib/digest/index.ts'
import { forceBlobThreads } from '../../lib/digest/worker/hash-workers.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import type { RegistryClient, RegistryClientOptions } from '../../lib/registry/index.ts'
import { addClient, blobThreads, dropClient } from '../../lib/registry/transport/threads/blob-threads.ts'
import { createRegistryServer } from '../../lib/server/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry, type FaultyRegistry } from '../../lib/testing/index.ts'
import { planPush, type RunPushOptions, runPush } from '../../lib/transfer/index.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { selfSignedCertificate } from '../helpers/self-signed-certificate.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { twentyLayers } from '../helpers/twenty-layers.ts'

const MIB = 1024 * 1024
const LAYER = 9 * MIB + 12_345
const image = twentyLayers(LAYER, 1)
const { bytes, descriptor } = image.layers[0]!
const { digest } = descriptor
/** Three pieces, of which the last alone would be too short for a thread. */
const inPieces = { chunkBytes: 4 * MIB }
let directory: ReturnType<typeof temporaryDirectory>
let remote: Store
let registry: FaultyRegistry

/** Threads end with the last client; this one keeps them for the next test. */
const keeper = addClient({ timeouts: { connectMs: 0, answerMs: 0, uploadAnswerMs: 0, idleMs: 0 } })

const fill = async (store: Store) => {
  for (const each of [...image.blobs, image.manifest]) await store.put(each.bytes)
  await store.references.set('app:1', image.manifest.descriptor)
}
beforeAll(() => forceBlobThreads(2))
afterAll(() => {
  forceBlobThreads(undefined)
  dropClient(keeper)
})
beforeEach(async () => {
  directory = temporaryDirectory('push-threads')
  await using store = await openStore(directory.path)
  await fill(store)
  // Blobs are read-only, and tests damage this one.
  chmodSync(blobFile(), 0o644)
  remote = createMemoryStore()
  registry = await createFaultyRegistry({ store: remote })
})
afterEach(async () => {
  await registry.close()
  directory[Symbol.dispose]()
})

/** The request that sends the whole layer. */
const whole = { method: 'PUT', path: new RegExp(digest.slice(7)) }
/** Number of exchanges that threads have begun. */
const exchanges = () => blobThreads().reduce((sum, thread) => sum + thread.exchanges, 0)
/** Open exchanges, and files that threads may read. */
const load = () => blobThreads().reduce((sum, thread) => sum + thread.load, 0)
const blobFile = () => join(directory.path, 'blobs/sha256', digest.slice(7))
interface Push extends RunPushOptions {
  readonly client?: RegistryClientOptions
  readonly hasher?: HasherEngine
  readonly host?: string
}
/** Pushes with a store and a client of its own. */
const push = async ({ client = {}, hasher = 'wasm', host = registry.host, ...options }: Push = {}) => {
  const before = exchanges()
  await using store = await openStore(directory.path, { hasher })
  await using to = registryClientFor(client)
  const result = await runPush(await planPush(store, to, 'app:1', `${host}/app:1`), options)
  return { result, inThreads: exchanges() - before }
}
const arrived = async () => ((await remote.stat(digest)) ? 'whole' : 'absent')
/** The pieces of the layer that the registry received: their ranges. */
const pieces = () =>
  registry.seen.filter(({ method }) => method === 'PATCH').map(({ headers }) => headers['content-range'])

describe.each(['wasm', 'native'] as const)('a long blob of a push with hasher %s', hasher => {
  test('goes through a thread to the registry, and its progress is told', async () => {
    const moved: number[] = []
    const onProgress: RunPushOptions['onProgress'] = event => {
      if (event.type === 'blob' && event.digest === digest) moved.push(event.bytes)
    }
    const { result, inThreads } = await push({ hasher, onProgress })
    expect(inThreads).toBe(1)
    expect(await arrived()).toBe('whole')
    expect(result).toMatchObject({ bytesUploadedAgain: 0, blobsUploaded: 3 })
    expect([moved[0], moved.at(-1)]).toEqual([0, LAYER])
    expect(moved).toEqual([...moved].sort((a, b) => a - b))
    await expect.poll(load).toBe(0)
  })

  test('goes in pieces through one thread, which verifies all of it', async () => {
    expect(await push({ hasher, ...inPieces })).toMatchObject({ inThreads: 3, result: { bytesUploadedAgain: 0 } })
    expect(await arrived()).toBe('whole')
    expect(pieces()).toHaveLength(3)
  })

  test('goes through a thread over TLS, with a certificate authority of the client', async () => {
    const { key, cert } = selfSignedCertificate()
    const behind = createRegistryServer(remote)
    const server = createServer({ key, cert }, behind.handler)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const host = `localhost:${(server.address() as AddressInfo).port}`
    const { inThreads } = await push({ hasher, host, client: { ca: cert, plainHttp: () => false } })
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    await behind.close()
    expect(inThreads).toBe(1)
    expect(await arrived()).toBe('whole')
  })

  test.each<[string, Push]>([
    ['whole', {}],
    ['in pieces', inPieces],
  ])('is not sent to its end %s if a byte in the store is wrong', async (_, options) => {
    const file = await open(blobFile(), 'r+')
    await file.write(Buffer.from([bytes[7 * MIB]! ^ 1]), 0, 1, 7 * MIB)
    await file.close()
    await expect(push({ hasher, ...options })).rejects.toMatchObject({ code: 'ERR_BLOB_CORRUPT', expected: digest })
    expect(await arrived()).toBe('absent')
    // The registry never got the last bytes.
    const received = registry.seen.reduce((sum, seen) => sum + seen.received, 0)
    expect(received).toBeLessThan(LAYER)
    await expect.poll(load).toBe(0)
  })

  test('is resumed at the piece that broke', async () => {
    registry.misbehave({ kind: 'cut-request', after: MIB }, { method: 'PATCH', skip: 1 })
    const { inThreads } = await push({ hasher, ...inPieces })
    expect(await arrived()).toBe('whole')
    expect(inThreads).toBeGreaterThan(3)
    expect(pieces()[1]).toBe(`${4 * MIB}-${8 * MIB - 1}`)
  })
})

describe('a thread that sends a blob', () => {
  test('repeats it after status 503, and after a connection that broke', async () => {
    registry.misbehave({ kind: 'answer', status: 503 }, whole)
    registry.misbehave({ kind: 'cut-request', after: MIB }, whole)
    const { inThreads } = await push()
    expect(await arrived()).toBe('whole')
    expect(inThreads).toBe(3)
    await expect.poll(load).toBe(0)
  })

  test('gets a new header when the registry asks for credentials', async () => {
    const authorizations: unknown[] = []
    const credentials = { [registry.host]: { username: 'u', password: 'p' } }
    registry.misbehave({ kind: 'unauthorized', challenge: 'Basic realm="x"' }, whole)
    const { inThreads } = await push({ client: { credentials: async name => credentials[name] } })
    for (const { method, path, headers } of registry.seen) {
      if (method === 'PUT' && whole.path.test(path)) authorizations.push(headers.authorization)
    }
    expect(await arrived()).toBe('whole')
    expect(inThreads).toBe(2)
    expect(authorizations.slice(0, 2)).toEqual([undefined, `Basic ${Buffer.from('u:p').toString('base64')}`])
  })

  test('follows a redirect to another origin without the credentials', async () => {
    registry.misbehave({ kind: 'redirect' }, whole)
    const { inThreads } = await push({ client: { allowedHosts: [registry.elsewhere] } })
    expect(await arrived()).toBe('whole')
    expect(inThreads).toBe(2)
  })

  test.each<[string, (file: string) => void, string]>([
    ['shorter', file => truncateSync(file, 5 * MIB), `size ${5 * MIB}`],
    ['longer', file => appendFileSync(file, 'x'), `size ${LAYER + 1}`],
    ['another', file => writeFileSync(file, Buffer.alloc(1), { flag: 'r+' }), 'sha256:'],
  ])('reports a file that becomes %s while it is sent', async (_, change, actual) => {
    await using store = await openStore(directory.path)
    await using client = registryClientFor()
    const openLent = async function* (offset: number) {
      let isChanged = false
      for await (const chunk of store.readLent!(digest, { offset })) {
        if (!isChanged) change(blobFile())
        isChanged = true
        yield chunk
      }
    }
    const to = { registry: registry.host, repository: 'app' }
    const pushed = client.pushBlob(to, descriptor, () => store.read(digest), { openLent })
    await expect(pushed).rejects.toMatchObject({ code: 'ERR_BLOB_CORRUPT', actual: expect.stringContaining(actual) })
    expect(await arrived()).toBe('absent')
  })

  /** A registry that takes uploads and never answers them; it has the first bytes when this resolves. */
  const hanging = async (options: Push = {}) => {
    let begun!: () => void
    const sending = new Promise<void>(resolve => {
      begun = resolve
    })
    const server = await startScriptedRegistry((request, response) => {
      const { method, url } = request
      const size = Number(request.headers['content-length'] ?? 0)
      if (url === '/v2/') return response.writeHead(200).end('{}')
      if (method === 'HEAD' || method === 'GET') return response.writeHead(404).end()
      if (method === 'POST') return response.writeHead(202, { location: '/upload' }).end()
      if (size < MIB) return request.resume().on('end', () => response.writeHead(201).end())
      // The layer: takes the first bytes, and then none.
      return request.once('data', () => {
        request.pause()
        begun()
      })
    })
    const pushed = push({ host: server.host, ...options })
    await Promise.race([sending, pushed])
    return { pushed, server }
  }

  test('has ended the exchange when an aborted push rejects, and gives the file back', async () => {
    const stop = new AbortController()
    const { pushed, server } = await hanging({ signal: stop.signal })
    expect(load()).toBeGreaterThan(0)
    stop.abort(new Error('enough'))
    await expect(pushed).rejects.toBe(stop.signal.reason)
    await expect.poll(load).toBe(0)
    await server.stop()
  })

  test('that crashes fails its own blob with a typed error, and the next push gets another thread', async () => {
    const { pushed, server } = await hanging()
    await Promise.all(blobThreads().map(thread => thread.terminate()))
    await expect(pushed).rejects.toMatchObject({ code: 'ERR_HASHER', message: 'a blob thread ended with code 1' })
    await server.stop()
    expect(blobThreads()).toEqual([])
    expect(await push()).toMatchObject({ inThreads: 1 })
    expect(await arrived()).toBe('whole')
  })

  test('that crashes between two pieces leaves an upload that the next push resumes', async () => {
    let isKilled = false
    const behind = createRegistryServer(remote)
    const server = await startScriptedRegistry(async (request, response) => {
      const isSecond = request.method === 'PATCH' && request.headers['content-range']?.startsWith('0-') === false
      if (isSecond && !isKilled) {
        isKilled = true
        await Promise.all(blobThreads().map(thread => thread.terminate()))
      }
      behind.handler(request, response)
    })
    await expect(push({ host: server.host, ...inPieces })).rejects.toMatchObject({ code: 'ERR_HASHER' })
    const before = server.seen.length
    await push({ host: server.host, ...inPieces })
    const rest = server.seen.slice(before).filter(({ method }) => method === 'PATCH')
    expect(rest[0]?.headers['content-range']).toMatch(/^[1-9]/)
    expect(await arrived()).toBe('whole')
    await server.stop()
    await behind.close()
  })

  test('refuses a source that yields both bytes and lent bytes', async () => {
    await using client = registryClientFor()
    const loan = new SourceLoan({ fd: 0 })
    const openLent = async function* () {
      yield bytes.subarray(0, MIB)
      yield new LentBytes(loan, MIB, MIB)
    }
    const to = { registry: registry.host, repository: 'app' }
    const pushed = client.pushBlob(to, descriptor, openLent, { openLent })
    await expect(pushed).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('is not used for a source that fails at once', async () => {
    await using client = registryClientFor()
    const reason = new Error('unreadable')
    // biome-ignore lint/correctness/useYield: it fails before.
    const openLent = async function* () {
      throw reason
    }
    const to = { registry: registry.host, repository: 'app' }
    await expect(client.pushBlob(to, descriptor, openLent, { openLent })).rejects.toBe(reason)
  })
})

describe('no thread sends a blob', () => {
  test('if there are to be no threads', async () => {
    setHashWorkers(0)
    const { inThreads } = await push()
    setHashWorkers(1)
    expect(inThreads).toBe(0)
    expect(await arrived()).toBe('whole')
  })

  test('if the caller resolves names', async () => {
    const lookup = async () => [{ address: '127.0.0.1', family: 4 as const }]
    expect(await push({ client: { lookup } })).toMatchObject({ inThreads: 0 })
    expect(await arrived()).toBe('whole')
  })

  /** Pushes the layer alone; `touch` gets each lent chunk before it is passed on. */
  const pushLayer = async (client: RegistryClient, touch: (chunk: LentBytes) => void) => {
    await using store = await openStore(directory.path)
    const openLent = async function* (offset: number) {
      for await (const chunk of store.readLent!(digest, { offset })) {
        touch(chunk as LentBytes)
        yield chunk
      }
    }
    const to = { registry: registry.host, repository: 'app' }
    await client.pushBlob(to, descriptor, () => store.read(digest), { openLent })
  }

  test('if the client is closed while the source is opened', async () => {
    const before = exchanges()
    const client = registryClientFor()
    await pushLayer(client, () => void client.close())
    expect(exchanges()).toBe(before)
    expect(await arrived()).toBe('whole')
  })

  test('if the thread ends before it has done anything', async () => {
    const stopThreads = () => Promise.all(blobThreads().map(thread => thread.terminate()))
    await stopThreads()
    await using client = registryClientFor()
    await pushLayer(client, ({ loan }) => {
      const begin = loan.begin.bind(loan)
      loan.begin = stop => {
        begin(stop)
        void stopThreads()
      }
    })
    expect(await arrived()).toBe('whole')
  })

  test('if the store has no files, and the bytes are read once', async () => {
    const before = exchanges()
    const store = createMemoryStore()
    await fill(store)
    await using client = registryClientFor()
    const result = await runPush(await planPush(store, client, 'app:1', `${registry.host}/app:1`), inPieces)
    expect(result).toMatchObject({ bytesUploadedAgain: 0 })
    expect(exchanges()).toBe(before)
    expect(await arrived()).toBe('whole')
  })
})
