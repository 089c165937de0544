import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { collectCacheMounts, collectSnapshots, listCacheMounts, listSnapshots } from '../../lib/sandbox/index.ts'
import { assertComplete, type Store } from '../../lib/store/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { readAll } from '../helpers/read-all.ts'
import { sweep } from '../helpers/sweep.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const able = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)
const KILLS = sweep(60, 8)
/** PERF: a build that waits for its kill leaves the processor to others. */
const AT_ONCE = 3
/** Argument of a command by which its process is found. */
const MARK = '71.3579'
const CANARY = 'canary-4c1d-of-killed-builds'

let child: Awaited<ReturnType<typeof bundleChild>>
let place: ReturnType<typeof temporaryDirectory>
let store: Store
beforeAll(async () => {
  child = await bundleChild('run-build-child.mjs')
})
afterAll(() => child[Symbol.dispose]())
beforeEach(async () => {
  place = temporaryDirectory('run-kill')
  store = await openStore(join(place.path, 'store'), { durability: 'none' })
  // Without accounts nothing reads the layer but the process that unpacks it.
  const shell = { path: 'bin/busybox', type: 'file', content: readFileSync('/bin/busybox'), mode: 0o755 } as const
  const link = (name: string) => ({ path: `bin/${name}`, type: 'symlink', linkname: 'busybox' }) as const
  const files = [shell, ...['sh', 'cat', 'sleep', 'rm', 'mkdir'].map(link), { path: 'old/f', type: 'file' } as const]
  const top = [{ path: 'top/f', type: 'file', content: 'top' }] as const
  const layers = [await writeLayer(store, files), await writeLayer(store, top)]
  const { descriptor } = await composeImage(store, { layers })
  await store.references.set('base:1', descriptor)
})
afterEach(async () => {
  await store.close()
  // Nothing may be mounted any more: this would fail.
  place[Symbol.dispose]()
})

const at = (path: string) => join(place.path, 'store/.layerstore', path)

function start(name: string, dockerfile: string, secret?: string) {
  const args = [child.path, join(place.path, 'store'), name, dockerfile, ...(secret ? [secret] : [])]
  const process_ = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const faults: string[] = []
  process_.stderr.on('data', chunk => faults.push(String(chunk)))
  process_.stdin.on('error', () => undefined)
  return { child: process_, lines: createInterface({ input: process_.stdout })[Symbol.asyncIterator](), faults }
}

/** Ends of lines of a process: what it printed last. */
async function lastLine({ lines }: ReturnType<typeof start>): Promise<string> {
  let last = ''
  for (let next = await lines.next(); !next.done; next = await lines.next()) last = next.value
  return last
}

async function closed(process_: ChildProcess): Promise<void> {
  if (process_.exitCode === null && process_.signalCode === null) await once(process_, 'close')
}

/** Command lines of processes that a killed build has left. */
function markedProcesses(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
      } catch {
        return []
      }
    })
    .filter(line => line.includes(`sleep ${MARK}`) && !line.includes('run-build-child'))
}

/** Files of the store that hold the secret. */
function leaks(): string[] {
  return readdirSync(place.path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter(path => readFileSync(path).includes(CANARY))
}

describe.skipIf(!able)('a build with commands', () => {
  const steps = [
    'FROM base:1 AS side',
    `RUN --mount=type=secret,id=canary,target=/s cat /s >/dev/null; rm -r /old; mkdir /out; echo f >/out/f; sleep 0.05`,
    'FROM base:1',
    'RUN --mount=type=cache,target=/c,sharing=locked echo x >>/c/log; mkdir /made',
    `RUN --mount=type=secret,id=canary,env=TOKEN [ -n "$TOKEN" ]; (sleep ${MARK} &) ; sleep 0.05`,
    'COPY --from=side /out /top2',
    'RUN echo end >/end',
  ].join('\n')

  test(`killed ${KILLS} times leaves nothing mounted, running or readable, and the next one builds`, {
    timeout: 600_000,
  }, async () => {
    const killOne = async (kill: number) => {
      const build = start('app:1', steps, CANARY)
      expect((await build.lines.next()).value, build.faults.join('')).toBe('ready')
      build.child.stdin.write('go\n')
      // The kill comes at any moment of a build, and sometimes after its end.
      await new Promise(resolve => setTimeout(resolve, (kill / KILLS) * 1500 + Math.random() * 100))
      build.child.kill('SIGKILL')
      await closed(build.child)
    }
    const killEach = async (first: number) => {
      for (let kill = first; kill < KILLS; kill += AT_ONCE) await killOne(kill)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => killEach(first)))
    await expect.poll(markedProcesses).toEqual([])
    const last = start('app:1', steps, CANARY)
    last.child.stdin.write('go\n')
    expect(await lastLine(last), last.faults.join('')).toMatch(/^\{"reads"/)
    expect(markedProcesses()).toEqual([])
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(place.path)
    expect(leaks()).toEqual([])
    const [boot = ''] = readdirSync(at('snapshots'))
    expect(readdirSync(at(`snapshots/${boot}/stacks`))).toEqual([])
    await collectSnapshots(at('snapshots'))
    expect(readdirSync(at(`snapshots/${boot}/layers`)).filter(name => !/^[0-9a-f]{24}$/.test(name))).toEqual([])
    expect((await listCacheMounts(at('cache/mounts'))).map(({ inUse }) => inUse)).toEqual([false])
    const { problems, faults } = await checkStore(store)
    expect({ problems: problems.filter(problem => problem.class !== 'orphan'), faults }).toEqual({
      problems: [],
      faults: [],
    })
    const view = await openUnionView(store, 'app:1')
    expect(Buffer.from(await readAll(view.read('end'))).toString()).toBe('end\n')
    expect(view.stat('top2/f')?.type).toBe('file')
  })

  test('of four processes at once unpack the base once, and lose nothing to a collector that runs beside them', {
    timeout: 240_000,
  }, async () => {
    const own = (n: number) => `${steps}\nRUN echo ${n} >/number\n`
    const builds = [1, 2, 3, 4].map(n => start(`app:${n}`, own(n)))
    for (const { lines } of builds) expect((await lines.next()).value).toBe('ready')
    for (const build of builds) build.child.stdin.write('go\n')
    let running = true
    const ended = Promise.all(builds.map(lastLine)).finally(() => {
      running = false
    })
    let collections = 0
    while (running) {
      await runCollection(store, await planCollection(store, { graceMs: 0, force: true, unknown: 'keep' }))
      collections++
    }
    const said = await ended
    expect(said.map((line, i) => (line.startsWith('{') ? '' : `${line} ${builds[i]!.faults.join('')}`))).toEqual(
      Array(4).fill(''),
    )
    // The lower layer is read once by the process that unpacks it, the upper one twice.
    expect(said.reduce((sum, line) => sum + JSON.parse(line).reads, 0)).toBe(1 + 2)
    expect(collections).toBeGreaterThan(0)
    for (const n of [1, 2, 3, 4]) {
      await assertComplete(store, (await store.references.get(`app:${n}`))!)
      const view = await openUnionView(store, `app:${n}`)
      expect(Buffer.from(await readAll(view.read('number'))).toString()).toBe(`${n}\n`)
    }
    expect((await listSnapshots(at('snapshots'))).every(({ inUse }) => !inUse)).toBe(true)
    await collectSnapshots(at('snapshots'), { maxBytes: 0 })
    await collectCacheMounts(at('cache/mounts'), { maxBytes: 0 })
    expect([...(await listSnapshots(at('snapshots'))), ...(await listCacheMounts(at('cache/mounts')))]).toEqual([])
  })
})
