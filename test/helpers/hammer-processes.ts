import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sweep } from './sweep.ts'
import { transpileLibrary } from './transpile-library.ts'

/** Other processes that use the store of a test; in CI without pauses. */
export interface Hammers {
  /** Resolves when all processes use the store in the directory, or in a bucket: then its options as JSON. */
  join(directory: string): Promise<void>
  /** Resolves when all processes have stopped using it, to the faults that they saw and the number of their rounds. */
  leave(directory: string): Promise<{ rounds: number; faults: string[] }>
  /** True for a digest or name that only these processes write. */
  isTheirs(what: string): boolean
  stop(): Promise<void>
}

const BLOBS = 12
/** Pause of each process between two rounds. */
const REST_MS = sweep(0, 500)

const contentOf = (process: number, i: number) => `hammer ${process} blob ${i} `.repeat(1 + i * 400)

/**
 * Puts, reads, names, resumes, leases, collects and deletes its own blobs. Reads and verifies every visible blob and
 * name: a visible blob is intact, and a visible name is complete.
 */
const CHILD = `
import { createInterface } from 'node:readline'
import { openStore } from './disk-store/index.js'
import { planCollection, runCollection } from './maintenance/index.js'
import { assertComplete } from './store/index.js'
const [me, restMs] = process.argv.slice(2).map(Number)
let wake = () => {}
// Ends at once when the process is told to leave.
const rest = () => new Promise(resolve => {
  const timer = setTimeout(resolve, restMs)
  wake = () => (clearTimeout(timer), resolve())
})
const contentOf = ${contentOf.toString()}
const type = kind => 'application/vnd.oci.image.' + kind
const stops = new Map()
const say = value => new Promise(resolve => process.stdout.write(JSON.stringify(value) + '\\n', resolve))
const gone = error => ['ERR_BLOB_NOT_FOUND', 'ERR_SIZE_MISMATCH'].includes(error.code)
async function look(store, faults) {
  for await (const { digest } of store.list()) {
    try { for await (const _ of store.read(digest)); } catch (error) {
      if (error.code !== 'ERR_BLOB_NOT_FOUND') faults.push(error.code + ' ' + digest)
    }
  }
  for await (const { name, descriptor } of store.references.list()) {
    try { await assertComplete(store, descriptor) } catch (error) { if (!gone(error)) faults.push(error.code + ' ' + name) }
  }
}
async function round(store, n, faults, inBucket) {
  const i = n % ${BLOBS}
  const put = bytes => store.put(Buffer.from(bytes))
  const layer = { mediaType: type('layer.v1.tar'), ...(await put(contentOf(me, i))) }
  const name = 'hammer-' + me + ':' + i
  const config = { mediaType: type('config.v1+json'), ...(await put(JSON.stringify({ hammer: me, architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [layer.digest] } }))) }
  const manifest = { schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers: [layer] }
  const root = { mediaType: manifest.mediaType, ...(await put(JSON.stringify(manifest))) }
  const lease = await store.leases.hold({ label: 'hammer', digests: [layer.digest, config.digest, root.digest] })
  await store.references.set(name, root)
  const writer = await store.ingest('hammer ' + me)
  await writer.write(Buffer.from(contentOf(me, i)))
  await (n % 3 === 0 ? writer.abort() : writer[Symbol.asyncDispose]())
  await (await store.ingest('hammer ' + me)).abort()
  await look(store, faults)
  await store.references.delete(name)
  // Collections take turns: in a bucket each round would wait for those of all processes.
  if (n % 5 === 0 && (me === 0 || !inBucket)) await runCollection(store, await planCollection(store, { unknown: 'keep' }))
  for (const { digest } of [root, layer, config]) await store.delete(digest)
  await lease.release()
}
async function open(directory) {
  if (!directory.startsWith('{')) return openStore(directory, { durability: 'none' })
  const { openObjectStore } = await import('./object-store/index.js')
  return openObjectStore(JSON.parse(directory))
}
async function hammer(directory) {
  const faults = []
  let rounds = 0
  const store = await open(directory)
  while (!stops.get(directory)) {
    try { await round(store, rounds, faults, directory.startsWith('{')) } catch (error) {
      // A collection that cannot read a document which the test has taken away refuses, as it should.
      if (error.code !== 'ERR_COLLECTION_REFUSED') faults.push(String(error.stack))
    }
    if (rounds++ === 0) await say({ at: directory })
    await rest()
  }
  for (let i = 0; i < ${BLOBS}; i++) await store.references.delete('hammer-' + me + ':' + i)
  await store.close()
  await say({ left: directory, rounds, faults })
}
for await (const line of createInterface({ input: process.stdin })) {
  const { join, leave } = JSON.parse(line)
  if (leave) {
    stops.set(leave, true)
    wake()
  }
  if (join) hammer(join).catch(error => say({ at: join, left: join, rounds: 0, faults: [String(error.stack)] }))
}
`

/** Starts this number of processes. */
export function startHammers(count: number): Hammers {
  const library = transpileLibrary()
  writeFileSync(join(library, 'hammer.mjs'), CHILD)
  const heard = new Map<string, (message: never) => void>()
  const children = Array.from({ length: count }, (_, i) => {
    const child = spawn(process.execPath, [join(library, 'hammer.mjs'), String(i), String(REST_MS)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    createInterface({ input: child.stdout }).on('line', line => {
      const message = JSON.parse(line)
      if (message.at) heard.get(`${i} at ${message.at}`)?.(message as never)
      if (message.left) heard.get(`${i} left ${message.left}`)?.(message as never)
    })
    return child
  })
  const theirs = digestsOfAll(count)
  const died = Promise.race(
    children.map(child => once(child, 'exit').then(() => Promise.reject(new Error('a process died')))),
  )
  // `died` rejects also when the test ends the processes.
  died.catch(() => undefined)
  const hear = <T>(i: number, what: string) => new Promise<T>(resolve => heard.set(`${i} ${what}`, resolve as never))
  const tell = (child: ChildProcess, message: object) => child.stdin?.write(`${JSON.stringify(message)}\n`)
  return {
    isTheirs: what => what.startsWith('hammer-') || theirs.has(what),
    async join(directory) {
      const all = children.map((_, i) => hear(i, `at ${directory}`))
      for (const child of children) tell(child, { join: directory })
      await Promise.race([Promise.all(all), died])
    },
    async leave(directory) {
      const all = children.map((_, i) => hear<{ rounds: number; faults: string[] }>(i, `left ${directory}`))
      for (const child of children) tell(child, { leave: directory })
      const said = await Promise.race([Promise.all(all), died])
      return { rounds: said.reduce((sum, { rounds }) => sum + rounds, 0), faults: said.flatMap(({ faults }) => faults) }
    },
    async stop() {
      const ended = children.filter(({ exitCode }) => exitCode === null).map(child => once(child, 'close'))
      for (const child of children) child.stdin?.end()
      await Promise.all(ended)
    },
  }
}

/** Digests of all blobs that the processes put; built exactly as in `CHILD`. */
function digestsOfAll(count: number): Set<string> {
  const digests = new Set<string>()
  const put = (bytes: string) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    digests.add(digest)
    return { digest, size: Buffer.byteLength(bytes) }
  }
  const type = (kind: string) => `application/vnd.oci.image.${kind}`
  for (let me = 0; me < count; me++) {
    for (let i = 0; i < BLOBS; i++) {
      const layer = { mediaType: type('layer.v1.tar'), ...put(contentOf(me, i)) }
      const rootfs = { type: 'layers', diff_ids: [layer.digest] }
      const config = {
        mediaType: type('config.v1+json'),
        ...put(JSON.stringify({ hammer: me, architecture: 'amd64', os: 'linux', rootfs })),
      }
      put(JSON.stringify({ schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers: [layer] }))
    }
  }
  return digests
}
