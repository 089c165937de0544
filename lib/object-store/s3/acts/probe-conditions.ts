import { randomUUID } from 'node:crypto'
import { BucketError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import type { BucketConditions, PutObjectOptions } from '../bucket.ts'
import type { BucketScope } from './bucket-scope.ts'
import { deleteObject } from './delete-objects.ts'
import { putObject } from './put-object.ts'

/** Folder of the probes. */
const PLACE = '.layerstore/probes'

/**
 * Finds out which conditions the engine enforces: writes one object under a new key, then twice with a condition that
 * does not hold. An engine that stores it nevertheless, or does not know the condition, does not enforce it. A
 * condition that holds has to be let through too.
 */
export async function probeConditions(scope: BucketScope, options?: AbortOptions): Promise<BucketConditions> {
  const key = `${PLACE}/${randomUUID()}`
  const write = (text: string, conditions: PutObjectOptions) =>
    writeIf(scope, key, text, { ...conditions, signal: options?.signal })
  try {
    const created = await write('1', { ifNoneMatch: true })
    const first = created ?? (await write('1', {}))!
    const ifNoneMatch = created?.stored === true && (await write('2', { ifNoneMatch: true }))?.stored === false
    const other = await write('3', { ifMatch: '"00000000000000000000000000000000"' })
    const same = other?.stored === false && first.stored ? await write('4', { ifMatch: first.etag }) : undefined
    return { ifNoneMatch, ifMatch: same?.stored === true }
  } finally {
    // The probe may be aborted; its object is deleted nevertheless.
    await deleteObject(scope, key).catch(() => {})
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
