import { BucketError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Bucket, ObjectFacts } from '../s3/bucket.ts'

/** A small object that was read whole. */
export interface SmallObject {
  readonly facts: ObjectFacts
  /** Its bytes; `undefined` if it is larger than the limit. */
  readonly bytes: Buffer | undefined
}

/** Times that an object is read anew because another process replaced it while its answer was broken off. */
const MOST_REPLACED = 10

/**
 * Reads a small object; `undefined` if there is none.
 *
 * SAFETY: another program may have written a huge object under the key; not more than `limit` bytes get into memory.
 */
export async function readObject(
  bucket: Bucket,
  key: string,
  limit: number,
  options: AbortOptions = {},
): Promise<SmallObject | undefined> {
  for (let replaced = 0; ; replaced++) {
    try {
      return await readOnce(bucket, key, limit, options)
    } catch (error) {
      const isReplaced = error instanceof BucketError && error.code === 'ERR_BUCKET_OBJECT_CHANGED'
      if (!isReplaced || replaced === MOST_REPLACED) throw error
    }
  }
}

async function readOnce(
  bucket: Bucket,
  key: string,
  limit: number,
  options: AbortOptions,
): Promise<SmallObject | undefined> {
  const answer = await bucket.get(key, options)
  if (!answer) return undefined
  const { facts, body } = answer
  if (facts.size > limit) {
    for await (const _ of body) break
    return { facts, bytes: undefined }
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return { facts, bytes: Buffer.concat(chunks) }
}

/** The JSON object in the bytes; `undefined` for anything else. */
export function jsonIn(bytes: Buffer | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes?.toString('utf8') ?? '')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** The bytes of a JSON object. */
export function jsonBytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}
