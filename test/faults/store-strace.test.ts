import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { assertComplete } from '../../lib/store/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { StraceWorker } from '../helpers/strace-worker.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const missing = !needsProgram('strace')
/** Each call fails with one of these, in turn; with `LAYERSTORE_FAULTS=all` with each of them. */
const CODES = ['ENOSPC', 'EIO', 'EMFILE', 'EACCES']
const ALL = process.env.LAYERSTORE_FAULTS === 'all'
const STEP = ALL ? 1 : 3
const EVERY = ALL ? 'every n' : 'every third n'
const CALLS = ['openat', 'pwrite64', 'fsync', 'fdatasync', 'link', 'rename', 'mkdir', 'unlink']

let program: Awaited<ReturnType<typeof bundleChild>>
let template: ReturnType<typeof memoryDirectory>
beforeAll(async () => {
  program = await bundleChild('strace-child.mjs')
  template = memoryDirectory('strace-template')
  const store = await openStore(template.path)
  const { manifest } = await putStoreImage(store)
  await store.references.set('first:1', manifest)
  await store.references.set('zeroth:1', manifest)
  await store.close()
})
afterAll(() => {
  program[Symbol.dispose]()
  template[Symbol.dispose]()
})

async function expectSound(path: string, said: readonly string[]): Promise<void> {
  const store = await openStore(path, { hasher: 'native' })
  const digests = new Set<string>()
  for await (const { digest } of store.list()) {
    for await (const _ of store.read(digest)) void _
    digests.add(digest)
  }
  for (const line of said) if (line.startsWith('put ')) expect(digests).toContain(line.slice(4))
  for await (const { descriptor } of store.references.list()) await assertComplete(store, descriptor)
  if (said.includes('name second:1')) expect(await store.references.get('second:1')).toBeDefined()
  await store.references.set('third:1', (await store.references.get('first:1'))!)
  await (await store.ingest('key')).abort()
  await store.close()
}

/** Every n (every fourth of those that change nothing) for which the call is made at all, each with a fresh store; how many there were. */
async function forEveryUse(step: number, one: (path: string, n: number) => Promise<boolean>): Promise<number> {
  for (let n = 1; ; n += step) {
    using directory = memoryDirectory('strace')
    cpSync(template.path, directory.path, { recursive: true, preserveTimestamps: true })
    if (!(await one(directory.path, n))) return Math.ceil((n - 1) / step)
  }
}

describe.skipIf(missing)('ST-01: a process that is killed at any system call', () => {
  test.each(CALLS)(
    `at the n-th %s, for ${EVERY}: the store keeps what it acknowledged`,
    { timeout: 120_000 },
    async call => {
      using warm = memoryDirectory('strace-warm')
      const next = () => new StraceWorker(program.path, warm.path)
      const ready = [next(), next()]
      const killed = await forEveryUse(call === 'openat' && !ALL ? 12 : STEP, async (path, n) => {
        const worker = ready.shift()!
        ready.push(next())
        const run = await worker.run(path, call, 'signal=KILL', n)
        await worker.end()
        await expectSound(path, run.said)
        return run.killed
      })
      await Promise.all(ready.map(worker => worker.end()))
      console.log(`killed at ${killed} uses of ${call}`)
      expect(killed).toBeGreaterThan(0)
    },
  )
})

describe.skipIf(missing)('ST-03, ST-04, ST-05: a system call that fails once', () => {
  test.each(CALLS)(
    `%s, for ${EVERY}: a typed error or none, and the store stays sound`,
    { timeout: 120_000 },
    async call => {
      using warm = memoryDirectory('strace-warm')
      const worker = new StraceWorker(program.path, warm.path)
      let [failed, failures] = [0, 0]
      // A call that is not made any more leaves no trace: the first n without one is after the last use.
      const uses = await countUses(call)
      for (let n = 1; n <= uses; n += STEP) {
        failed++
        for (const code of ALL ? CODES : [CODES[n % CODES.length]!]) {
          using directory = memoryDirectory('strace')
          cpSync(template.path, directory.path, { recursive: true, preserveTimestamps: true })
          const { said, killed } = await worker.run(directory.path, call, `error=${code}`, n)
          expect(killed).toBe(false)
          expect(said.join('\n')).not.toContain('failed false')
          if (said.some(line => line.startsWith('failed true'))) failures++
          await expectSound(directory.path, said)
        }
      }
      await worker.end()
      console.log(
        `${call}: ${failed} of ${uses} uses failed${ALL ? ', in four ways' : ''}; ${failures} times somebody was told`,
      )
      // Removing leftovers is best effort; what moves bytes and names is not.
      if (call !== 'unlink') expect(failures).toBeGreaterThan(0)
    },
  )
})

/** How often the work makes a call, in the one thread that makes them. */
async function countUses(call: string): Promise<number> {
  using directory = memoryDirectory('strace')
  using warm = memoryDirectory('strace-warm')
  cpSync(template.path, directory.path, { recursive: true, preserveTimestamps: true })
  using logs = memoryDirectory('strace-log')
  const log = join(logs.path, 'log')
  const args = ['-f', '-qq', '-o', log, '-e', `trace=${call}`, process.execPath, program.path, warm.path]
  execFileSync('strace', args, { input: `${directory.path}\n`, env: { ...process.env, UV_THREADPOOL_SIZE: '1' } })
  const lines = readFileSync(log, 'utf8').split('\n')
  return lines.filter(line => line.includes(directory.path) || /^\d+ +(pwrite64|fsync|fdatasync)\(/.test(line)).length
}

test.skipIf(missing)('ST-02: data is synced before its name appears, the name before it is acknowledged', async () => {
  using directory = temporaryDirectory('order')
  cpSync(template.path, directory.path, { recursive: true, preserveTimestamps: true })
  using warm = memoryDirectory('strace-warm')
  const log = join(directory.path, 'trace')
  const calls = 'trace=fsync,fdatasync,link,rename,write,chmod,fchmod,openat,close'
  execFileSync(
    'strace',
    ['-f', '-y', '-qq', '-s', '200', '-o', log, '-e', calls, process.execPath, program.path, warm.path],
    { input: `${directory.path}\n` },
  )
  const all = readFileSync(log, 'utf8').split('\n')
  const lines = all.slice(all.findIndex(line => line.includes('ready')))
  const after = (from: number, pattern: RegExp) => {
    const found = lines.findIndex((line, i) => i > from && pattern.test(line))
    expect(found, `${pattern} after line ${from}`).toBeGreaterThan(from)
    return found
  }
  const dataSync = after(-1, /fsync\(\d+<[^>]*ingests\/put-[^>]*>/)
  const readOnly = after(dataSync, /fchmod\(\d+<[^>]*ingests\/put-[^>]*>, 0444/)
  const linked = after(readOnly, /link\("[^"]*ingests\/put-[^"]*", "[^"]*blobs\/sha256/)
  const directorySync = after(linked, /fsync\(\d+<[^>]*blobs\/sha256>/)
  const acknowledged = after(directorySync, /write\(1<[^>]*>, "put /)
  const indexSync = after(acknowledged, /fsync\(\d+<[^>]*index\.json\.[^>]*tmp>/)
  const renamed = after(indexSync, /rename\("[^"]*index\.json\.[^"]*", "[^"]*index\.json"/)
  const rootSync = after(renamed, /fsync\(\d+</)
  after(rootSync, /write\(1<[^>]*>, "name /)
  expect(readdirSync(directory.path)).toContain('index.json')
})
