/** Key of the method that gives the list; a symbol, so that no stream of a caller has it by chance. */
const LIST = Symbol('list')

/**
 * Items that are made when they are asked for. `at` makes a new object in each call, equal for equal positions, and the
 * caller may change it.
 *
 * PERF: tens of thousands of items that are kept as objects are copied by the garbage collector; those of a list die
 * young.
 */
export interface LazyList<T> {
  readonly length: number
  at(index: number): T
}

interface Listed<T> {
  [LIST](): Promise<LazyList<T> | undefined>
}

/** Adds a list of the same items to a stream, for consumers that need no stream; see {@link lazyListOf}. */
export function withList<T, S extends AsyncIterable<T>>(items: S, list: () => Promise<LazyList<T> | undefined>): S {
  return Object.assign(items, { [LIST]: list })
}

/** Resolves to the list of the items of a stream that has not started, or to `undefined` if it has none. */
export async function lazyListOf<T>(items: Iterable<T> | AsyncIterable<T>): Promise<LazyList<T> | undefined> {
  return (items as Partial<Listed<T>>)[LIST]?.()
}
