/** Where the items of a stream can be had in batches, as long as nobody has asked for one of them. */
const sources = new WeakMap<object, AsyncIterable<readonly unknown[]>>()

/**
 * The items of batches, one at a time; {@link batchesOf} gives the batches themselves.
 *
 * PERF: an item that passes five generators costs five promises and more; tens of thousands of small files cost a second.
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

/** The items of a stream as its source makes them: many at once, or each by itself. Whoever takes them so takes all. */
export function batchesOf<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterable<readonly T[]> {
  const batches = sources.get(items) as AsyncIterable<readonly T[]> | undefined
  if (!batches) return oneByOne(items)
  sources.delete(items)
  return batches
}

async function* oneByOne<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<readonly T[], void, undefined> {
  for await (const item of items) yield [item]
}

/** What lent batches are taken back by. */
const loans = new WeakMap<readonly unknown[], () => void>()

/**
 * Lends a batch: whoever takes batches may say by {@link returnBatch} that it is done with one, and `onReturn` may use
 * the memory of its items again. Nobody has to: a batch that is not returned stays as it is.
 */
export function lendBatch<T>(batch: readonly T[], onReturn: () => void): readonly T[] {
  loans.set(batch, onReturn)
  return batch
}

/** Gives a batch back if it was lent. Nothing of it may be looked at after that, by whomever it was passed on to. */
export function returnBatch(batch: readonly unknown[]): void {
  const onReturn = loans.get(batch)
  loans.delete(batch)
  onReturn?.()
}
