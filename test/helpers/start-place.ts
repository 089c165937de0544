import { randomUUID } from 'node:crypto'
import { createBucket, type S3Engine } from './create-bucket.ts'
import { startMemoryS3 } from './memory-s3.ts'
import { needsCephRgw, startCephRgw } from './start-ceph-rgw.ts'
import { startSwift } from './start-swift.ts'
import { FULL } from './sweep.ts'

/** A bucket of a started engine. */
export interface StartedPlace extends AsyncDisposable {
  readonly place: S3Engine & { readonly bucket: string }
}

/** Makes a bucket in Ceph if sweeps run in full and Ceph is there, else in a server in memory. */
export function startPlace(label: string): Promise<StartedPlace> {
  return FULL && needsCephRgw() ? startCephPlace(label) : startMemoryPlace()
}

/** Makes a bucket in Ceph, which all test files share. */
export async function startCephPlace(label: string): Promise<StartedPlace> {
  return bucketIn(await startCephRgw(), label)
}

/** Makes a bucket in Swift, which all test files share. */
export async function startSwiftPlace(label: string): Promise<StartedPlace> {
  return bucketIn(await startSwift(), label)
}

async function bucketIn(engine: S3Engine, label: string): Promise<StartedPlace> {
  const bucket = `${label}-${randomUUID().slice(0, 8)}`
  await createBucket(engine, bucket)
  return { place: { ...engine, bucket }, async [Symbol.asyncDispose]() {} }
}

/** The bucket of a server in memory. */
export async function startMemoryPlace(): Promise<StartedPlace> {
  const server = await startMemoryS3()
  const { endpoint, bucket, settings } = server
  const place = { endpoint, bucket, region: settings.region, credentials: settings.key }
  return { place, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
