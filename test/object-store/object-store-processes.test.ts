import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkStore } from '../../lib/maintenance/index.ts'
import { openObjectStore } from '../../lib/object-store/index.ts'
import { namesIn } from '../../lib/store/index.ts'
import { createBucket, type S3Engine } from '../helpers/create-bucket.ts'
import { startMemoryS3 } from '../helpers/memory-s3.ts'
import { setNamesInProcesses } from '../helpers/name-processes.ts'
import { needsCephRgw, startCephRgw } from '../helpers/start-ceph-rgw.ts'
import { FULL, sweep } from '../helpers/sweep.ts'

let place: S3Engine & { bucket: string }
let stop: () => Promise<void> = async () => {}
beforeAll(async () => {
  const bucket = `many-${randomUUID().slice(0, 8)}`
  if (FULL && needsCephRgw()) {
    place = { ...(await startCephRgw()), bucket }
    await createBucket(place, bucket)
    return
  }
  const server = await startMemoryS3()
  stop = async () => server[Symbol.asyncDispose]()
  place = {
    endpoint: server.endpoint,
    region: server.settings.region,
    credentials: server.settings.key,
    bucket: server.bucket,
  }
}, 120_000)
afterAll(() => stop())

const [processes, names] = sweep([8, 200], [3, 20])

test(`${processes} processes that set ${names} names each at once set all of them`, { timeout: 200_000 }, async () => {
  const options = { ...place, prefix: 'names', hasher: 'native' } as const
  await setNamesInProcesses(options, processes, names)
  await using store = await openObjectStore(options)
  // And the one that all of them swap.
  expect(await namesIn(store)).toHaveLength(processes * names + 1)
  expect((await checkStore(store)).sound).toBe(true)
})
