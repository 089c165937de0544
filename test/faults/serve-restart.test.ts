import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import type { UploadMemory } from '../../lib/registry/index.ts'
import { httpRequest } from '../helpers/http-request.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { runningServer } from '../helpers/running-server.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'
import { uploadMemory } from '../helpers/upload-memory.ts'

const MIB = 1024 * 1024
const PIECE = 4 * MIB
const { bytes, descriptor } = sampleBlob(24 * MIB + 5)
const { digest } = descriptor
let library: string
const children = new Set<ChildProcess>()
beforeAll(() => {
  library = transpileLibrary()
  writeFileSync(join(library, 'serve-restart.mjs'), SERVE)
})
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
})

const SERVE = `
import { runCli } from './cli/index.js'
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
const { stdin, stdout, stderr, env } = process
process.exitCode = await runCli(process.argv.slice(2), { stdin, stdout, stderr, env, signal: stop.signal }, '0')
`

/** Runs `layerstore serve` in a process of its own. */
async function serve(store: string, port = 0) {
  const main = join(library, 'serve-restart.mjs')
  const child = spawn(process.execPath, [main, '--store', store, 'serve', '--json', '--listen', `127.0.0.1:${port}`])
  children.add(child)
  const output: string[] = []
  child.stderr.on('data', chunk => output.push(String(chunk)))
  const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown]
  expect(child.exitCode, output.join('')).toBe(null)
  const { url, port: taken } = JSON.parse(String(line))
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    children.delete(child)
  }
  return { url, host: `127.0.0.1:${taken}`, port: taken as number, end }
}

/** Pushes the blob. Calls `onRead` with the number of bytes read so far, and counts them. */
function pushing(host: string, uploads: UploadMemory, onRead: (read: number) => Promise<unknown> = async () => {}) {
  let read = 0
  const openAt = async function* (offset: number) {
    for (let at = offset; at < bytes.length; at += 256 * 1024) {
      const chunk = bytes.subarray(at, at + 256 * 1024)
      yield chunk
      read += chunk.length
      await onRead(read)
    }
  }
  const done = (async () => {
    await using client = registryClientFor({ retries: { tries: 2 } })
    const options = { uploads, openAt, chunkBytes: PIECE }
    return await client.pushBlob({ registry: host, repository: 'app' }, descriptor, () => openAt(0), options)
  })()
  return { done, read: () => read }
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'a push continues where it was after the server has ended by %s and was started again',
  { timeout: 240_000 },
  async signal => {
    using directory = temporaryDirectory('serve-restart')
    const first = await serve(directory.path)
    const uploads = uploadMemory()
    let ended: Promise<void> | undefined
    const push = pushing(first.host, uploads, async read => {
      if (read > 2.5 * PIECE) ended ??= first.end(signal)
      await ended
    })
    await expect(push.done).rejects.toMatchObject({ code: 'ERR_NETWORK' })
    const [state] = [...uploads.kept.values()]
    const { location } = JSON.parse(Buffer.from(state!).toString())

    const second = await serve(directory.path, first.port)
    const status = await httpRequest(second.url, 'GET', new URL(location).pathname)
    expect(status.status).toBe(204)
    const held = Number(status.headers.range!.split('-')[1]) + 1
    expect(held).toBeGreaterThanOrEqual(2 * PIECE)
    const again = pushing(second.host, uploads)
    expect(await again.done).toBe('uploaded')
    const twice = push.read() + again.read() - bytes.length
    console.info(`${signal} after ${push.read()} bytes: ${held} were held, ${twice} of ${bytes.length} sent again`)
    expect(twice).toBeLessThanOrEqual(PIECE)
    await second.end('SIGTERM')
    await using store = await openStore(directory.path)
    expect((await readAll(store.read(digest))).equals(bytes)).toBe(true)
    expect(await store.statIngest!(`upload app ${location.split('/').at(-1)}`)).toBeUndefined()
  },
)

test('an upload that another server has left is found by its repository and id alone, and can be given up', async () => {
  using directory = temporaryDirectory('serve-restart')
  await using store = await openStore(directory.path)
  const begun = async (algorithm: string) => {
    await using server = await runningServer({ keepUploads: true }, keptOpen(store))
    const started = await server.ask('POST', `/v2/app/blobs/uploads/?digest-algorithm=${algorithm}`)
    const at = started.headers.location!
    expect((await server.ask('PATCH', at, { body: bytes.subarray(0, 100) })).status).toBe(202)
    return at
  }
  for (const algorithm of ['sha256', 'sha512', 'blake3']) {
    const at = await begun(algorithm)
    const id = at.split('/').at(-1)!
    await using server = await runningServer({}, keptOpen(store))
    expect((await server.ask('GET', `/v2/other/blobs/uploads/${id}`)).status).toBe(404)
    expect(
      (await server.ask('GET', at.toUpperCase().replace('/V2/APP/BLOBS/UPLOADS', '/v2/app/blobs/uploads'))).status,
    ).toBe(404)
    expect(await server.ask('GET', at)).toMatchObject({ status: 204, headers: { range: '0-99' } })
    expect((await server.ask('DELETE', at)).status).toBe(204)
    expect((await server.ask('GET', at)).status).toBe(404)
    expect(await store.statIngest!(`upload app ${id}`, { algorithm: algorithm as 'sha256' })).toBeUndefined()
  }
})

test('the bytes of an idle upload are dropped after a while', async () => {
  using directory = temporaryDirectory('serve-restart')
  await using store = await openStore(directory.path)
  await using server = await runningServer({ uploadIdleMs: 300 }, keptOpen(store))
  const at = (await server.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  await server.ask('PATCH', at, { body: bytes.subarray(0, 2 * MIB) })
  const key = `upload app ${at.split('/').at(-1)}`
  expect(await store.statIngest!(key)).toEqual({ offset: 2 * MIB, busy: false })
  await expect.poll(() => store.statIngest!(key)).toBeUndefined()
  expect((await server.ask('GET', at)).status).toBe(404)
})

test('a piece after bytes that were lost is refused, and the client told where to go on', async () => {
  using directory = temporaryDirectory('serve-restart')
  await using store = await openStore(directory.path)
  await using server = await runningServer({}, keptOpen(store))
  const at = (await server.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  await server.ask('PATCH', at, { body: bytes.subarray(0, 2 * MIB) })
  await (await store.ingest(`upload app ${at.split('/').at(-1)}`)).abort()
  const answer = await server.ask('PATCH', at, { body: bytes.subarray(2 * MIB, 3 * MIB) })
  expect(answer).toMatchObject({ status: 416, headers: { range: '0-0', location: at } })
  expect((await server.ask('PATCH', at, { body: bytes })).status).toBe(202)
  expect((await server.ask('PUT', `${at}?digest=${digest}`)).status).toBe(201)
})

/** Prevents a closed server from closing the store, which the next server uses. */
function keptOpen<T extends object>(store: T): T {
  return new Proxy(store, {
    get: (target, key) => {
      if (key === 'close') return async () => {}
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
