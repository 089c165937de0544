import type { AbortOptions } from '../../internal/abort.ts'
import { KeyedMutex } from '../../internal/concurrency/keyed-mutex.ts'
import type { DerivedStore } from '../derived-store.ts'

/** The part of a store that facts need. Without derived data no facts are kept. */
export interface FactKeeper {
  /** Derived data of the store. */
  readonly derived?: DerivedStore | undefined
}

/**
 * Serialises the changes of one record in this process. If two processes change a record at once, one fact may be lost.
 */
const mutexes = new WeakMap<DerivedStore, KeyedMutex>()

/** Reads a record; `parse(undefined)` supplies the value if it is absent, damaged or unreadable at the moment. */
export async function readFact<T>(
  { derived }: FactKeeper,
  key: string,
  parse: (value: unknown) => T,
  options: AbortOptions = {},
): Promise<T> {
  try {
    const bytes = await derived?.get('facts', key, options)
    return parse(bytes ? JSON.parse(Buffer.from(bytes).toString('utf8')) : undefined)
  } catch {
    options.signal?.throwIfAborted()
    return parse(undefined)
  }
}

/** Changes a record. Facts are optional: a failed write is ignored. `change` returns `undefined` to change nothing. */
export async function changeFact<T extends object>(
  keeper: FactKeeper,
  key: string,
  parse: (value: unknown) => T,
  change: (before: T) => T | undefined,
): Promise<void> {
  const { derived } = keeper
  if (!derived) return
  const mutex = mutexes.get(derived) ?? new KeyedMutex()
  mutexes.set(derived, mutex)
  const release = await mutex.acquire(key)
  try {
    const after = change(await readFact(keeper, key, parse))
    if (after) await derived.set('facts', key, Buffer.from(JSON.stringify(after)))
  } catch {
    // As good as a store that keeps nothing.
  } finally {
    release()
  }
}

/** Returns the members of an object, or an empty object for any other value. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Returns the objects of an array, or an empty list for any other value. */
export function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(membersOf) : []
}
