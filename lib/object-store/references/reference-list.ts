import type { AbortOptions } from '../../internal/abort.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { NamedDescriptor } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { Keys } from '../objects/keys.ts'
import { readObject } from '../objects/read-object.ts'
import type { ListedObject } from '../s3/bucket.ts'
import { MOST_REFERENCE_BYTES, parseReferenceObject } from './reference-record.ts'

/** PERF: names that are read at a time; with 32, 10,000 names took as long. */
const AT_ONCE = 16

/** One name of a listing: what it refers to, or why that is unreadable. */
export type ListedReference =
  | { readonly key: string; readonly named: NamedDescriptor }
  | { readonly key: string; readonly error: unknown }

/**
 * Lists names with their descriptors.
 *
 * PERF: a listing tells the version of each object, so only names that have changed since the last listing of this
 * store are read again.
 */
export class ReferenceList {
  readonly #context: ObjectContext
  #known = new Map<string, { readonly etag: string; readonly named: NamedDescriptor }>()

  constructor(context: ObjectContext) {
    this.#context = context
  }

  /** Every name in order. */
  async *list(options: AbortOptions = {}): AsyncGenerator<ListedReference, void, undefined> {
    const before = this.#known
    const now: typeof before = new Map()
    let batch: ListedObject[] = []
    const read = async () => {
      const listed = batch
      batch = []
      return (await settleAll(listed.map(object => this.#read(object, before, now, options)))).filter(isThere)
    }
    for await (const object of this.#context.bucket.list(Keys.references, options)) {
      batch.push(object)
      if (batch.length === AT_ONCE) yield* await read()
    }
    yield* await read()
    this.#known = now
  }

  async #read(
    { key, etag }: ListedObject,
    before: ReadonlyMap<string, { readonly etag: string; readonly named: NamedDescriptor }>,
    now: Map<string, { readonly etag: string; readonly named: NamedDescriptor }>,
    options: AbortOptions,
  ): Promise<ListedReference | undefined> {
    const known = before.get(key)
    if (known?.etag === etag) {
      now.set(key, known)
      return { key, named: known.named }
    }
    const found = await readObject(this.#context.bucket, key, MOST_REFERENCE_BYTES, options)
    // The name was deleted after the listing.
    if (!found) return undefined
    try {
      const named = parseReferenceObject(found)
      now.set(key, { etag: found.facts.etag, named })
      return { key, named }
    } catch (error) {
      return { key, error }
    }
  }
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined
}
