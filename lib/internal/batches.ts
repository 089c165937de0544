/** Batches behind a stream of items, until the first item is requested. */
const sources = new WeakMap<object, AsyncIterable<readonly unknown[]>>()

/**
 * The items of batches, one at a time; {@link batchesOf} gives the batches themselves.
 *
 * PERF: an item that passes five generators costs five promises and more; tens of thousands of small files cost a
 * second.
 */
export function inBatches<T>(batches: AsyncIterable<readonly T[]>): AsyncGenerator<T, void, undefined> {
  const items = itemsOf(batches, () => sources.delete(items))
  sources.set(items, batches)
  return items
}

async function* itemsOf<T>(
  batches: AsyncIterable<readonly T[]>,
  onStart: () => void,
): AsyncGenerator<T, void, undefined> {
  onStart()
  for await (const batch of batches) yield* batch
}

/**
 * The items of a stream as its source makes them: many at once, or each by itself. Taking the batches consumes the
 * stream.
 */
export function batchesOf<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterable<readonly T[]> {
  const batches = sources.get(items) as AsyncIterable<readonly T[]> | undefined
  if (!batches) return oneByOne(items)
  sources.delete(items)
  return batches
}

async function* oneByOne<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<readonly T[], void, undefined> {
  for await (const item of items) yield [item]
}

/** Callbacks that take lent batches back. */
const loans = new WeakMap<readonly unknown[], () => void>()

/**
 * Lends a batch: the consumer may call {@link returnBatch} when it is done with the batch, and `onReturn` may then
 * reuse the memory of its items. A batch that is never returned stays valid.
 */
export function lendBatch<T>(batch: readonly T[], onReturn: () => void): readonly T[] {
  loans.set(batch, onReturn)
  return batch
}

/** Returns a batch if it was lent. After that no consumer may read its items. */
export function returnBatch(batch: readonly unknown[]): void {
  const onReturn = loans.get(batch)
  loans.delete(batch)
  onReturn?.()
}
