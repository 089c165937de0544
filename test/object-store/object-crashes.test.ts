import { expect, test } from 'vitest'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { openStoreInBucket } from '../../lib/object-store/index.ts'
import { assertComplete, type Store } from '../../lib/store/index.ts'
import { deadPid } from '../helpers/dead-pid.ts'
import { MemoryObjects, memoryBucket } from '../helpers/memory-bucket.ts'
import { openInMemory } from '../helpers/memory-object-store.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { places } from '../helpers/sweep.ts'

const SETTINGS = { partSize: 5 * 1024 * 1024, concurrency: 2, hasher: 'native' } as const
const NOW = { graceMs: 0, force: true } as const
const large = Buffer.alloc(6 * 1024 * 1024, 'large')
const dead = deadPid()

/** A life of a store: everything that a process does with it, in a fixed order. */
async function live(store: Store, acknowledge: (name: string, digest: string | undefined) => void): Promise<void> {
  const { manifest: first } = await putStoreImage(store, 'first')
  await store.references.set('app:1', first)
  acknowledge('app:1', first.digest)
  await using lease = await store.leases.hold({ label: 'work', digests: [first.digest] })
  const { manifest: second } = await putStoreImage(store, large)
  const before = await store.references.get('app:2')
  await store.references.set('app:2', second, { expected: before?.digest ?? null })
  acknowledge('app:2', second.digest)
  const writer = await store.ingest('key')
  await writer.write(Buffer.from('partial'))
  await writer[Symbol.asyncDispose]()
  await lease.release()
  acknowledge('app:1', 'unknown')
  await store.references.delete('app:1')
  acknowledge('app:1', undefined)
  await runCollection(store, await planCollection(store, NOW))
  const { manifest: third } = await putStoreImage(store, 'first')
  await store.references.set('app:3', third)
  acknowledge('app:3', third.digest)
}

/** The same, until the process dies at a call: before it, or after the service has done it. */
async function dieAt(
  objects: MemoryObjects,
  n: number,
  kind: 'before' | 'after',
): Promise<Map<string, string | undefined>> {
  const acknowledged = new Map<string, string | undefined>()
  let [calls, isDead] = [0, false]
  const die = new Error('killed')
  const stop = () => {
    if (isDead) throw die
    calls++
    isDead = calls > n
    if (isDead) throw die
  }
  const hooks = kind === 'before' ? { before: stop } : { before: () => isDead && stop(), after: stop }
  const acknowledge = (name: string, digest: string | undefined) => void acknowledged.set(name, digest)
  const work = async () => live(await openStoreInBucket(memoryBucket(objects, hooks), SETTINGS), acknowledge)
  // The last calls are those of a store that closes: some lives end before them.
  await work().catch(error => {
    if (!isDead) throw error
  })
  for (const key of objects.keys()) {
    const text = objects.text(key)!
    if (key.endsWith('.json')) objects.write(key, text.replace(`"pid":${process.pid}`, `"pid":${dead}`))
  }
  return acknowledged
}

async function callsOf(kind: 'before' | 'after'): Promise<number> {
  const objects = new MemoryObjects()
  let calls = 0
  objects[kind] = () => void calls++
  const store = await openInMemory(objects, SETTINGS)
  await live(store, () => {})
  await store.close()
  return calls
}

test.each(['before', 'after'] as const)(
  'a process that is killed %s any of its requests loses nothing and blocks no other',
  {
    timeout: 600_000,
  },
  async kind => {
    const last = await callsOf(kind)
    expect(last).toBeGreaterThan(25)
    for (const n of places(last, 12, 5)) {
      const objects = new MemoryObjects()
      const acknowledged = await dieAt(objects, n, kind)
      const store = await openInMemory(objects, SETTINGS)
      for (const [name, digest] of acknowledged) {
        if (digest !== 'unknown') expect((await store.references.get(name))?.digest, `${name} at ${n}`).toBe(digest)
      }
      for await (const { name, descriptor } of store.references.list()) {
        await expect(assertComplete(store, descriptor), `${name} at ${n}`).resolves.toBeUndefined()
      }
      await live(store, () => {})
      const { problems, faults } = await checkStore(store)
      expect(
        problems.filter(problem => problem.class !== 'orphan'),
        `at ${n}`,
      ).toEqual([])
      expect(faults, `at ${n}`).toEqual([])
      await store.close()
    }
  },
)
