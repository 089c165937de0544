import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Digest } from '../../../lib/digest/index.ts'
import { openStore } from '../../../lib/disk-store/index.ts'
import { planCollection, runCollection } from '../../../lib/maintenance/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { ageBlobs } from '../../helpers/age-blobs.ts'
import { putStoreImage } from '../../helpers/store-image.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const HOUR = 3_600_000
const nowhere = `sha256:${'0'.repeat(64)}` as Digest
let directory: ReturnType<typeof temporaryDirectory>
let store: Store
const leaseFiles = () => readdirSync(join(directory.path, '.layerstore/leases')).filter(name => name.endsWith('.json'))
const leasePath = (name: string) => join(directory.path, '.layerstore/leases', name)

beforeEach(async () => {
  directory = temporaryDirectory('leases')
  store = await openStore(directory.path)
})
afterEach(async () => {
  vi.useRealTimers()
  await store.close()
  directory[Symbol.dispose]()
})

async function leasesOf(of: Store) {
  const leases = []
  for await (const lease of of.leases.list()) leases.push(lease)
  return leases
}

describe.each([
  ['on disk', () => openStore(directory.path)],
  ['in memory', async () => createMemoryStore()],
] as const)('a lease %s', (_, open) => {
  test('is listed until it is released; a second release does nothing', async () => {
    const store = await open()
    const { digest } = await store.put(Buffer.from('x'))
    const lease = await store.leases.hold({ label: 'work', digests: [digest, nowhere], expiresInMs: HOUR })
    expect(await leasesOf(store)).toMatchObject([
      { id: lease.id, label: 'work', digests: [digest, nowhere], expiresInMs: HOUR, holder: expect.any(String) },
    ])
    await lease.renew()
    await lease.release()
    await lease.release()
    await lease.renew()
    expect(await leasesOf(store)).toEqual([])
    await store.close()
  })

  test('reports whether an added blob exists', async () => {
    const store = await open()
    const { digest } = await store.put(Buffer.from('x'))
    await using lease = await store.leases.hold()
    expect(await lease.add(digest)).toBe(true)
    expect(await lease.add(nowhere)).toBe(false)
    expect(await store.leases.touch(digest)).toBe(true)
    expect(await store.leases.touch(nowhere)).toBe(false)
    expect(await thrownBy(() => lease.add('../etc' as Digest))).toMatchObject({ code: 'ERR_INVALID_DIGEST' })
    await lease.release()
    await store.close()
  })

  test('protects the blobs that it names and those stored since, until it is released', async () => {
    const store = await open()
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const { digest } = await store.put(Buffer.from('work'))
    const now = Date.now() + 10
    vi.useFakeTimers({ toFake: ['Date'], now })
    const plan = await planCollection(store, { graceMs: 0, force: true })
    expect(plan.drop.map(drop => drop.digest)).toEqual([digest])
    const lease = await store.leases.hold({ digests: [digest] })
    expect((await planCollection(store, { graceMs: 0, force: true })).drop).toEqual([])
    expect((await runCollection(store, plan)).deleted).toEqual([])
    await lease.release()
    vi.setSystemTime(now + 2 * HOUR)
    const again = await planCollection(store)
    expect((await runCollection(store, again)).deleted).toEqual([digest])
    expect(await store.stat(digest)).toBeUndefined()
    await store.close()
  })

  test.each([
    { label: '' },
    { label: 'x'.repeat(201) },
    { expiresInMs: 59_999 },
    { expiresInMs: 31 * 24 * HOUR },
    { expiresInMs: Number.NaN },
    { digests: ['sha256:../../x' as Digest] },
  ])('refuses %j', async options => {
    const store = await open()
    expect(await thrownBy(() => store.leases.hold(options))).toMatchObject({
      code: expect.stringMatching(/^ERR_INVALID/),
    })
    await store.close()
  })

  test('is not acquired by an aborted call, nor in a closed store', async () => {
    const store = await open()
    const signal = AbortSignal.abort(new Error('stop'))
    expect((await thrownBy(() => store.leases.hold({ signal }))).message).toBe('stop')
    expect((await thrownBy(() => store.leases.touch(nowhere, { signal }))).message).toBe('stop')
    await store.close()
    expect(await thrownBy(() => store.leases.hold({ digests: [nowhere] }))).toMatchObject({ code: 'ERR_STORE_CLOSED' })
  })
})

test('closing the store releases the leases that are still held', async () => {
  const other = await openStore(directory.path)
  await other.leases.hold()
  expect(leaseFiles()).toHaveLength(1)
  await other.close()
  expect(leaseFiles()).toEqual([])
})

test('a lease that another process removed as expired is restored by its next renewal', async () => {
  await using lease = await store.leases.hold({ label: 'back' })
  rmSync(leasePath(leaseFiles()[0]!))
  await lease.renew()
  expect(await leasesOf(store)).toMatchObject([{ label: 'back' }])
})

test('a lease renews itself', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  await using _ = await store.leases.hold()
  const path = leasePath(leaseFiles()[0]!)
  utimesSync(path, new Date(0), new Date(0))
  await vi.advanceTimersByTimeAsync(10 * 60_000)
  await expect.poll(() => Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000)
})

test('in a read-only store a lease protects nothing and leaves no trace', async () => {
  const { digest } = await store.put(Buffer.from('x'))
  const before = statSync(join(directory.path, 'blobs', digest.replace(':', '/'))).mtimeMs
  const reading = await openStore(directory.path, { readOnly: true })
  await using lease = await reading.leases.hold({ digests: [digest] })
  expect(await lease.add(digest)).toBe(true)
  expect(await lease.add(nowhere)).toBe(false)
  await lease.renew()
  expect(readdirSync(join(directory.path, '.layerstore'))).not.toContain('leases')
  expect(statSync(join(directory.path, 'blobs', digest.replace(':', '/'))).mtimeMs).toBe(before)
  await reading.close()
})

describe('ST-16: a lease whose holder', () => {
  /** A lease of another owner, with these members, last renewed this long ago. */
  async function foreignLease(owner: object, ageMs: number, digest: Digest) {
    const lease = await store.leases.hold({ digests: [digest], label: 'foreign' })
    const file = JSON.parse(readFileSync(leasePath(leaseFiles()[0]!), 'utf8'))
    await lease.release()
    const path = leasePath('1-foreign.json')
    writeFileSync(path, JSON.stringify({ ...file, sinceMs: 0, owner: { ...file.owner, ...owner } }))
    utimesSync(path, new Date(Date.now() - ageMs), new Date(Date.now() - ageMs))
  }

  test.each([
    ['is dead counts for a grace period', { start: '1' }, 0.5 * HOUR, true],
    ['is dead for longer does not count', { start: '1' }, 1.5 * HOUR, false],
    ['is on another machine with this host name counts for a day', { boot: 'other' }, 0, true],
    ['lives counts, however long it was silent', {}, 1000 * HOUR, true],
    ['is on another machine counts for a day', { host: 'elsewhere' }, 23 * HOUR, true],
    ['is on another machine does not count after a day', { host: 'elsewhere' }, 25 * HOUR, false],
  ])('%s', async (_, owner, ageMs, counts) => {
    await store.references.set('app:1', (await putStoreImage(store, 'named')).manifest)
    const { digest } = await store.put(Buffer.from('leased'))
    await foreignLease(owner, ageMs, digest)
    ageBlobs(directory.path, 2 * HOUR)
    const plan = await planCollection(store)
    expect(plan.drop.length).toBe(counts ? 0 : 1)
    await runCollection(store, plan)
    expect(leaseFiles()).toHaveLength(counts ? 1 : 0)
  })
})
