import { StoreError } from '../../errors/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { PartUpload } from './part-upload.ts'

/** SPEC: Amazon S3 API, CopyObject: up to 5 GB in one request. */
const MOST_COPIED_BYTES = 5 * 1024 ** 3

/** Copies an object inside the bucket. One over 5 GiB passes through this machine, in parts. */
export async function copyBlobObject(context: ObjectContext, from: string, to: string, size: number): Promise<void> {
  const { bucket } = context
  const isThere = size <= MOST_COPIED_BYTES ? await bucket.copy(from, to) : await copyParts(context, from, to, size)
  if (!isThere) throw new StoreError('ERR_STORE_IO', `${from} has disappeared; store the blob again`)
}

async function copyParts(context: ObjectContext, from: string, to: string, size: number): Promise<boolean> {
  const answer = await context.bucket.get(from)
  if (!answer) return false
  const upload = new PartUpload(context, to, { size })
  try {
    for await (const chunk of answer.body) await upload.append(chunk)
    await upload.complete()
    return true
  } catch (error) {
    await upload.abort().catch(() => undefined)
    throw error
  }
}
