import type { AbortOptions } from '../../internal/abort.ts'
import { KeyedMutex } from '../../internal/concurrency/keyed-mutex.ts'
import type { DerivedStore } from '../derived-store.ts'

/** A store as far as facts need one: none are kept where derived data is not. */
export interface FactKeeper {
  /** Where derived data is kept. */
  readonly derived?: DerivedStore | undefined
}

/** Changes of one record in this process come one after the other. Two processes may lose one of two changes: a fact less. */
const mutexes = new WeakMap<DerivedStore, KeyedMutex>()

/** Reads a record, or what is taken for one if it is absent, damaged or cannot be read at the moment. */
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

/**
 * Changes a record. A fact is worth having, not worth failing for: what cannot be kept is not. `change` gives nothing if
 * there is nothing to change.
 */
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

/** A value as an object with members of any kind. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** A value as a list of objects. */
export function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(membersOf) : []
}
