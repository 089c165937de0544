import { StoreError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { ObjectContext } from './object-context.ts'
import { Keys } from './objects/keys.ts'
import { jsonBytes, jsonIn, readObject } from './objects/read-object.ts'

/** Version of the layout of keys. */
const FORMAT_VERSION = 1
const MOST_BYTES = 64 * 1024
const KIND = 'layerstore'

/** Members of the marker besides the version. */
export interface Format {
  /** Address under which the engine was found to enforce conditional writes; absent if it was not asked. */
  readonly conditionsAt?: string | undefined
}

/**
 * Reads the marker of the format; `undefined` if there is none.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT`, `ERR_STORE_VERSION`.
 */
export async function readFormat(context: ObjectContext, options: AbortOptions = {}): Promise<Format | undefined> {
  const found = await readObject(context.bucket, Keys.format, MOST_BYTES, options)
  if (!found) return undefined
  context.clock.note(found.facts.serverTime)
  const { kind, version, conditionsAt } = jsonIn(found.bytes) ?? {}
  if (kind !== KIND || !Number.isSafeInteger(version) || (version as number) < 1) {
    const message = `${Keys.format} in ${context.bucket.address} is not the marker of a store`
    throw new StoreError('ERR_STORE_FORMAT', message)
  }
  if ((version as number) > FORMAT_VERSION) {
    const message = `the store is of version ${version}, this library knows ${FORMAT_VERSION}: use a newer one`
    throw new StoreError('ERR_STORE_VERSION', message)
  }
  return typeof conditionsAt === 'string' ? { conditionsAt } : {}
}

/**
 * Creates the marker below an empty prefix. Any number of processes may do so at once: all write the same.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT` if the prefix has other objects.
 */
export async function createFormat(context: ObjectContext, format: Format, options: AbortOptions = {}): Promise<void> {
  const { bucket, clock } = context
  for await (const { key } of bucket.list('', { ...options, pageSize: 10 })) {
    // Another process is asking the engine for its conditions.
    if (key.startsWith(Keys.probes)) continue
    // Another process has created the store since, and uses it already.
    if (await readFormat(context, options)) return
    const found = JSON.stringify(key.slice(0, 80))
    const message = `${bucket.address} has other objects (${found}) and no store: choose an empty prefix`
    throw new StoreError('ERR_STORE_FORMAT', message)
  }
  const result = await bucket.put(Keys.format, bytesOf(format), { ...options, ifNoneMatch: true })
  if (result.stored) clock.note(result.serverTime)
  else await readFormat(context, options)
}

/** Writes a damaged marker anew. */
export async function resetFormat({ bucket }: ObjectContext): Promise<void> {
  await bucket.put(Keys.format, bytesOf({}))
}

function bytesOf(format: Format): Buffer {
  return jsonBytes({ kind: KIND, version: FORMAT_VERSION, ...format })
}
