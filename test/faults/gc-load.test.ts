import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { sweep } from '../helpers/sweep.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

/** Number of images named, and of blobs removed, by concurrent processes. */
const ROUNDS = sweep(1000, 40)
/** Number of times that four processes are killed. */
const KILLS = sweep(6, 1)

let library: string
beforeAll(() => {
  library = transpileLibrary()
  writeFileSync(join(library, 'gc-load-worker.mjs'), WORKER)
  writeFileSync(join(library, 'gc-load-collector.mjs'), COLLECTOR)
})

/**
 * Stores, names and deletes small images made of a few layers, so that one process names what another has just deleted.
 * It holds a lease, as acts do, and prints what was acknowledged.
 */
const WORKER = `
import { createHash } from 'node:crypto'
import { openStore } from './disk-store/index.js'
const [directory, name] = process.argv.slice(2)
const say = text => new Promise(resolve => process.stdout.write(text + '\\n', resolve))
const pick = n => Math.floor(Math.random() * n)
const type = kind => 'application/vnd.oci.image.' + kind
const store = await openStore(directory, { durability: 'none', hasher: 'native' })
const put = async (bytes, mediaType) => {
  const digest = 'sha256:' + createHash('sha256').update(bytes).digest('hex')
  // As planners do: what is said to be there is not sent.
  if (Math.random() < 0.5) return { mediaType, ...(await store.put(bytes, { digest })) }
  const writer = await store.ingest(digest, { wait: true })
  if (writer.offset === 0) await writer.write(bytes)
  return { mediaType, ...(await writer.commit({ digest })) }
}
let told = false
process.stdin.once('data', () => { told = true })
while (!told) {
  const lease = await store.leases.hold({ label: name })
  const layers = [await put(Buffer.from('layer ' + pick(12)), type('layer.v1.tar'))]
  if (pick(2)) layers.push(await put(Buffer.from('layer ' + pick(12)), type('layer.v1.tar')))
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) }
  const config = await put(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs, n: pick(4) })), type('config.v1+json'))
  const manifest = { schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers }
  const tag = name + ':' + pick(5)
  await say('doing ' + tag)
  await store.references.set(tag, await put(Buffer.from(JSON.stringify(manifest)), manifest.mediaType))
  if (pick(2)) await store.references.delete(tag)
  await lease.release()
}
await store.close()
process.stdin.destroy()
`

/** Collects without a grace period. */
const COLLECTOR = `
import { openStore } from './disk-store/index.js'
import { planCollection, runCollection } from './maintenance/index.js'
const [directory] = process.argv.slice(2)
const say = text => new Promise(resolve => process.stdout.write(text + '\\n', resolve))
const store = await openStore(directory, { durability: 'none', hasher: 'native' })
let told = false
process.stdin.once('data', () => { told = true })
while (!told) {
  const plan = await planCollection(store, { graceMs: 0, force: true })
  if (plan.missing.length > 0) await say('error missing ' + JSON.stringify(plan.missing))
  const result = await runCollection(store, plan)
  if (result.errors.length > 0) await say('error ' + JSON.stringify(result.errors))
  await say('removed ' + result.deleted.length + ' ' + result.skipped.length)
}
await store.close()
process.stdin.destroy()
`

interface Child {
  readonly said: string[]
  readonly ended: Promise<void>
  /** True if the process ended by itself. */
  tell(): void
  kill(): void
}

function start(script: string, ...args: readonly string[]): Child {
  const child = spawn(process.execPath, [join(library, script), ...args])
  const said: string[] = []
  let rest = ''
  child.stdout.on('data', chunk => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    said.push(...lines)
  })
  child.stderr.on('data', chunk => said.push(`error ${chunk}`))
  return {
    said,
    ended: once(child, 'close').then(() => undefined),
    tell: () => void child.stdin.write('end\n'),
    kill: () => child.kill('SIGKILL'),
  }
}

const errorsOf = (children: readonly Child[]) =>
  children.flatMap(({ said }) => said.filter(line => line.startsWith('error')))

/** Sums the output of collectors: blobs removed, and blobs kept at the last check. */
function removalsOf(children: readonly Child[]): { removed: number; spared: number } {
  const lines = children.flatMap(({ said }) => said.filter(line => line.startsWith('removed ')))
  const sum = (field: number) => lines.reduce((total, line) => total + Number(line.split(' ')[field]), 0)
  return { removed: sum(1), spared: sum(2) }
}

/**
 * Expects every name to refer to a complete image, every blob to be correct, no lock to be left, and garbage to be
 * removable.
 */
async function expectSound(path: string): Promise<number> {
  const store = await openStore(path)
  let names = 0
  for await (const { name, descriptor } of store.references.list()) {
    await store.references.set(name, descriptor)
    names++
  }
  const plan = await planCollection(store, { graceMs: 0, force: true })
  await runCollection(store, plan)
  for await (const { digest } of store.list()) for await (const _ of store.read(digest)) void _
  expect((await planCollection(store, { graceMs: 0, force: true })).missing).toEqual([])
  expect(readdirSync(join(path, '.layerstore/trash'))).toEqual([])
  expect(readdirSync(join(path, '.layerstore/locks')).filter(name => !name.endsWith('.tmp'))).toEqual([])
  await store.close()
  return names
}

test('GC-08: three processes store, name and forget while two collect: nothing that is needed goes', {
  timeout: 240_000,
}, async () => {
  using directory = memoryDirectory('gc-load')
  await (await openStore(directory.path)).close()
  const workers = ['a', 'b', 'c'].map(name => start('gc-load-worker.mjs', directory.path, name))
  const collectors = [1, 2].map(() => start('gc-load-collector.mjs', directory.path))
  const all = [...workers, ...collectors]
  const rounds = () => workers.flatMap(({ said }) => said.filter(line => line.startsWith('doing'))).length
  const isEnough = () => rounds() >= ROUNDS && removalsOf(collectors).removed >= ROUNDS
  await expect.poll(() => isEnough() || errorsOf(all)).toBe(true)
  for (const child of all) child.tell()
  await Promise.all(all.map(child => child.ended))
  expect(errorsOf(all)).toEqual([])
  const { removed, spared } = removalsOf(collectors)
  const names = await expectSound(directory.path)
  console.log(
    `${rounds()} images named, ${removed} blobs removed, ${spared} spared at the last moment, ${names} names left`,
  )
})

test('GC-04, GC-09: collectors and workers killed at random moments leave garbage at most', {
  timeout: 240_000,
}, async () => {
  using directory = memoryDirectory('gc-kill')
  await (await openStore(directory.path)).close()
  let [removed, kills] = [0, 0]
  for (let round = 0; round < KILLS; round++) {
    const children = [
      start('gc-load-worker.mjs', directory.path, 'a'),
      start('gc-load-worker.mjs', directory.path, 'b'),
      start('gc-load-collector.mjs', directory.path),
      start('gc-load-collector.mjs', directory.path),
    ]
    while (children.slice(0, 3).some(child => child.said.length === 0)) {
      expect(errorsOf(children)).toEqual([])
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    await new Promise(resolve => setTimeout(resolve, Math.random() * 200))
    for (const child of children) child.kill()
    await Promise.all(children.map(child => child.ended))
    kills += children.length
    removed += removalsOf(children).removed
    expect(errorsOf(children)).toEqual([])
    await expectSound(directory.path)
  }
  console.log(`killed ${kills} processes; ${removed} blobs had been removed`)
})
