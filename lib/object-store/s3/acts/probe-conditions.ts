import { randomUUID } from 'node:crypto'
import { BucketError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import type { BucketConditions, PutObjectOptions } from '../bucket.ts'
import type { BucketScope } from './bucket-scope.ts'
import { deleteObjects } from './delete-objects.ts'
import { putObject } from './put-object.ts'

/** Folder of the probes. */
const PLACE = '.layerstore/probes'

/**
 * Finds out which conditions the engine enforces: writes one object under a new key, then with conditions that do not
 * hold. An engine that stores it nevertheless, or does not know the condition, does not enforce it. A condition that
 * holds has to be let through too. MinIO before September 2025 ignores `If-Match` if there is no object
 * (minio/minio#21526), so that is tried as well.
 */
export async function probeConditions(scope: BucketScope, options?: AbortOptions): Promise<BucketConditions> {
  const key = `${PLACE}/${randomUUID()}`
  const write = (text: string, conditions: PutObjectOptions, at = key) =>
    writeIf(scope, at, text, { ...conditions, signal: options?.signal })
  try {
    const created = await write('1', { ifNoneMatch: true })
    const first = created ?? (await write('1', {}))!
    const ifNoneMatch = created?.stored === true && (await write('2', { ifNoneMatch: true }))?.stored === false
    const other = await write('3', { ifMatch: '"00000000000000000000000000000000"' })
    const same = other?.stored === false && first.stored ? await write('4', { ifMatch: first.etag }) : undefined
    const absent = same?.stored ? await write('5', { ifMatch: same.etag }, `${key}-absent`) : undefined
    return { ifNoneMatch, ifMatch: absent?.stored === false }
  } finally {
    // The probe may be aborted; its objects are deleted nevertheless.
    await deleteObjects(scope, [key, `${key}-absent`]).catch(() => {})
  }
}

/** Writes under a condition; `undefined` if the engine refuses the condition itself. */
async function writeIf(scope: BucketScope, key: string, text: string, options: PutObjectOptions) {
  try {
    return await putObject(scope, key, Buffer.from(text), options)
  } catch (error) {
    if (error instanceof BucketError && error.code === 'ERR_BUCKET_UNSUPPORTED') return undefined
    throw error
  }
}
