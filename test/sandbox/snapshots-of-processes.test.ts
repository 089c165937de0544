import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import type { ImageLayer } from '../../lib/image/index.ts'
import { createOwner } from '../../lib/internal/locks/owner.ts'
import { collectSnapshots, listSnapshots, machineSnapshots, overlaySnapshots } from '../../lib/sandbox/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const able = needsRoot()

let child: Awaited<ReturnType<typeof bundleChild>>
let place: ReturnType<typeof temporaryDirectory>
let store: Store
let layers: readonly ImageLayer[]
let snapshots: string
beforeAll(async () => {
  child = await bundleChild('stack-child.mjs')
})
afterAll(() => child[Symbol.dispose]())
beforeEach(async () => {
  place = temporaryDirectory('processes')
  snapshots = join(place.path, 'snapshots')
  store = await openStore(join(place.path, 'store'), { durability: 'none' })
  const files = [0, 1, 2].map(n => ({ [`file${n}`]: `${n}`, [`more${n}`]: 'x'.repeat(100_000) }))
  ;({ layers } = await sampleImage(store, files, { name: 'app:1' }))
})
afterEach(async () => {
  await store.close()
  // Nothing may be mounted any more: this would fail.
  place[Symbol.dispose]()
})

const bootDirectory = () => join(snapshots, readdirSync(snapshots)[0] ?? '')
const names = () => readdirSync(join(bootDirectory(), 'layers')).sort()
const openStack = (of: readonly ImageLayer[] = layers) =>
  overlaySnapshots({ directory: snapshots }).openStack(store, of)

/** Makes every layer look as if it was last used some hours ago, the topmost one most recently. */
async function age(hours: number): Promise<void> {
  for (const [i, { diffId }] of layers.entries()) {
    const found = (await listSnapshots(snapshots)).find(({ about }) => about === diffId)
    const then = new Date(Date.now() - hours * 3_600_000 + i * 1000)
    if (found) utimesSync(join(bootDirectory(), 'layers', found.name, 'about.json'), then, then)
  }
}

function start(times: number): { child: ChildProcess; lines: AsyncIterator<string> } {
  const args = [child.path, join(place.path, 'store'), snapshots, 'app:1', String(times)]
  const started = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  return { child: started, lines: createInterface({ input: started.stdout })[Symbol.asyncIterator]() }
}

describe.skipIf(!able)('unpacked layers', () => {
  test('are unpacked once for four processes that need them at once', async () => {
    const four = [1, 2, 3, 4].map(() => start(2))
    for (const { lines } of four) expect((await lines.next()).value).toBe('ready')
    for (const { child } of four) child.stdin?.end('go\n')
    const said = await Promise.all(four.map(async ({ lines }) => JSON.parse((await lines.next()).value)))
    await Promise.all(four.map(({ child }) => child.exitCode ?? once(child, 'close')))
    expect(said.map(({ whole }) => whole)).toEqual([true, true, true, true])
    // A layer above others is read twice: for its whiteouts, then for its files.
    expect(said.reduce((sum, { reads }) => sum + reads, 0)).toBe(1 + 2 + 2)
    expect(await listSnapshots(snapshots)).toHaveLength(3)
    expect(readdirSync(join(bootDirectory(), 'stacks'))).toEqual([])
  })

  test('are whole while four processes use them and another one removes all that are free', async () => {
    const four = [1, 2, 3, 4].map(() => start(6))
    for (const { lines } of four) await lines.next()
    for (const { child } of four) child.stdin?.end('go\n')
    const said = four.map(async ({ lines }) => JSON.parse((await lines.next()).value))
    let running = true
    const ended = Promise.all(said).finally(() => {
      running = false
    })
    while (running) await collectSnapshots(snapshots, { maxBytes: 0 })
    expect((await ended).map(({ whole }) => whole)).toEqual([true, true, true, true])
    await Promise.all(four.map(({ child }) => child.exitCode ?? once(child, 'close')))
    await collectSnapshots(snapshots, { maxBytes: 0 })
    expect(names()).toEqual([])
  })

  test('of a process that was killed while it unpacked are unpacked by the next one', async () => {
    await (await openStack(layers.slice(0, 1))).close()
    const [name = ''] = names()
    const unfinished = join(bootDirectory(), 'layers', `${'ab'.repeat(12)}.tmp`)
    mkdirSync(join(unfinished, 'fs/half'), { recursive: true })
    const gone = { ...(await createOwner()), pid: 4194305, start: '1' }
    writeFileSync(join(bootDirectory(), 'locks', 'ab'.repeat(12)), JSON.stringify(gone))
    // The same for the layer above: its lock is that of a dead process, and half of it is there.
    await (await openStack()).close()
    const above = names().find(other => other !== name && !other.endsWith('.tmp')) as string
    await collectSnapshots(snapshots, { maxBytes: 0 })
    mkdirSync(join(bootDirectory(), 'layers', `${above}.tmp`, 'fs/half'), { recursive: true })
    writeFileSync(join(bootDirectory(), 'locks', above), JSON.stringify(gone))
    const stack = await openStack()
    expect(readdirSync(stack.path).sort()).toEqual(['file0', 'file1', 'file2', 'more0', 'more1', 'more2'])
    await stack.close()
    await collectSnapshots(snapshots)
    expect(names().filter(other => other.endsWith('.tmp'))).toEqual([])
  })
})

describe.skipIf(!able)('a collection of unpacked layers', () => {
  test('removes what was not used for long, and keeps what a stack holds', async () => {
    await (await openStack()).close()
    const stack = await openStack(layers.slice(0, 1))
    await age(3)
    const plan = await collectSnapshots(snapshots, { maxAgeMs: 3_600_000, dryRun: true })
    expect(plan.dropped.map(({ about }) => about)).toEqual(layers.slice(1).map(({ diffId }) => diffId))
    expect(names()).toHaveLength(3)
    const { dropped, kept, bytesFreed } = await collectSnapshots(snapshots, { maxAgeMs: 3_600_000, maxBytes: 0 })
    expect(dropped).toHaveLength(2)
    expect(kept).toMatchObject([{ about: layers[0]!.diffId, inUse: true }])
    expect(bytesFreed).toBeGreaterThan(200_000)
    expect(readFileSync(join(stack.path, 'file0'), 'utf8')).toBe('0')
    await stack.close()
    expect((await collectSnapshots(snapshots, { maxBytes: 0 })).dropped).toHaveLength(1)
    const again = await openStack()
    expect(readFileSync(join(again.path, 'file2'), 'utf8')).toBe('2')
    await again.close()
  })

  test('removes the least recently used until the rest fits, by itself too', async () => {
    await (await openStack()).close()
    await age(2)
    const [{ bytes } = { bytes: 0 }] = await listSnapshots(snapshots)
    const kept = (await collectSnapshots(snapshots, { maxBytes: bytes * 2.5 })).kept
    expect(kept.map(({ about }) => about)).toEqual([layers[2]!.diffId, layers[1]!.diffId])
    const other = await sampleImage(store, [{ other: 'y'.repeat(100_000) }])
    await age(1)
    const driver = machineSnapshots({ directory: snapshots, maxBytes: bytes * 2.5 })
    const stack = await driver.openStack(store, other.layers)
    expect((await listSnapshots(snapshots)).map(({ about }) => about).sort()).toEqual(
      [layers[2]!.diffId, other.layers[0]!.diffId].sort(),
    )
    await stack.close()
  })

  test('removes layers that the caller needs no more, those of earlier boots, and refuses no number', async () => {
    await (await openStack()).close()
    mkdirSync(join(snapshots, '00000000-0000-0000-0000-000000000000', 'layers'), { recursive: true })
    const needed = layers[0]!.descriptor.digest
    const { dropped } = await collectSnapshots(snapshots, { needs: digest => digest === needed })
    expect(dropped.map(({ why }) => why)).toEqual(Array(2).fill('its layer is not in the store'))
    expect(readdirSync(snapshots)).toHaveLength(1)
    expect(await thrownBy(() => collectSnapshots(snapshots, { maxAgeMs: Number.NaN }))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('has nothing to do where nothing was unpacked', async () => {
    const none = join(place.path, 'none')
    expect(await collectSnapshots(none, { maxBytes: 0 })).toEqual({ dropped: [], kept: [], bytesFreed: 0 })
    expect(await listSnapshots(none)).toEqual([])
  })
})
