import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import type { LeaseInfo, Store } from '../../lib/store/index.ts'
import { ageBlobs } from '../helpers/age-blobs.ts'
import { rawImage } from '../helpers/push-image.ts'
import { runningServer } from '../helpers/running-server.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const DAY = 86_400_000

/** Runs a collection without a grace period. */
async function collect(store: Store): Promise<void> {
  await runCollection(store, await planCollection(store, { graceMs: 0, force: true }))
}

async function leases(store: Store): Promise<LeaseInfo[]> {
  const found: LeaseInfo[] = []
  for await (const lease of store.leases.list()) found.push(lease)
  return found
}

test('a collection during a push keeps its blobs, however long the push takes', async () => {
  using directory = temporaryDirectory('push-lease')
  const path = join(directory.path, 'store')
  await using registry = await runningServer({}, await openStore(path))
  const image = rawImage('a')
  const [sent, had] = image.blobs
  await registry.store.put(had!.bytes)
  const unwanted = await registry.store.put(Buffer.from('garbage'))
  ageBlobs(path, 3 * DAY)
  await registry.ask('POST', `/v2/app/blobs/uploads/?digest=${sent!.digest}`, { body: sent!.bytes })
  expect((await registry.ask('HEAD', `/v2/app/blobs/${had!.digest}`)).status).toBe(200)
  const [lease] = await leases(registry.store)
  expect(lease?.label).toBe('pushes to the registry server')
  await using other = await openStore(path)
  await collect(other)
  expect(await other.stat(unwanted.digest)).toBeUndefined()
  for (const { digest } of image.blobs) expect(await other.stat(digest as Digest)).toBeDefined()
  const put = { headers: { 'content-type': image.mediaType }, body: image.manifest }
  expect((await registry.ask('PUT', '/v2/app/manifests/1', put)).status).toBe(201)
})

test('all pushes share one lease, which ends when no more requests write', async () => {
  await using registry = await runningServer({ uploadIdleMs: 60 })
  expect(await leases(registry.store)).toEqual([])
  await Promise.all([1, 2, 3].map(() => registry.ask('POST', '/v2/app/blobs/uploads/')))
  expect(await leases(registry.store)).toHaveLength(1)
  await expect.poll(() => leases(registry.store)).toEqual([])
})

test('close ends the lease; a pull and a read-only server take none', async () => {
  await using registry = await runningServer()
  const { digest } = await registry.store.put(Buffer.from('x'))
  await registry.ask('GET', `/v2/app/blobs/${digest}`)
  await registry.ask('GET', '/v2/_catalog')
  expect(await leases(registry.store)).toEqual([])
  await registry.ask('POST', '/v2/app/blobs/uploads/')
  expect(await leases(registry.store)).toHaveLength(1)
  await registry.server.close()
  expect(await leases(registry.store)).toEqual([])
  await using readOnly = await runningServer({ readOnly: true }, registry.store)
  expect((await readOnly.ask('HEAD', `/v2/app/blobs/${digest}`)).status).toBe(200)
  expect(await leases(registry.store)).toEqual([])
})
