import { type Borrowed, owned } from './borrowed.ts'

/** Key of the method that gives batches; a symbol, so that no stream of a caller has it by chance. */
const BATCHES = Symbol('batches')

/** A stream of items that a consumer can also take in the batches in which its source makes them. */
export interface BatchedIterable<T> extends AsyncGenerator<T, void, undefined> {
  /** Consumes the rest of the stream in batches; see {@link batchesOf}. */
  [BATCHES](): AsyncIterable<Borrowed<readonly T[]>>
}

/**
 * Makes a stream of the items of batches. A consumer of the items releases no batch, so all items stay valid.
 *
 * PERF: an item that passes five generators costs five promises and more; tens of thousands of small files cost a
 * second.
 */
export function inBatches<T>(batches: AsyncIterable<Borrowed<readonly T[]>>): BatchedIterable<T> {
  let started = false
  const start = () => {
    started = true
    return batches
  }
  const items = itemsOf(start)
  return Object.assign(items, { [BATCHES]: () => (started ? oneByOne(items) : start()) })
}

async function* itemsOf<T>(start: () => AsyncIterable<Borrowed<readonly T[]>>): AsyncGenerator<T, void, undefined> {
  for await (const { value } of start()) yield* value
}

/**
 * Consumes a stream in batches: those of its source if it is a {@link BatchedIterable} that has not started, else each
 * item in a batch of its own. The consumer releases each batch after its last use of the items.
 */
export function batchesOf<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterable<Borrowed<readonly T[]>> {
  return (items as Partial<BatchedIterable<T>>)[BATCHES]?.() ?? oneByOne(items)
}

async function* oneByOne<T>(
  items: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<Borrowed<readonly T[]>, void, undefined> {
  for await (const item of items) yield owned([item])
}
