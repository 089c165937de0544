import { abortable } from '../../internal/abort.ts'

/**
 * Starts work for the items of a stream, at most `concurrency` at once, and yields the results in the order of the
 * items. However the iteration ends, all started work has settled by then.
 */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  options: { readonly concurrency: number; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<R, void, undefined> {
  const running: Promise<R>[] = []
  const oldest = async () => {
    const result = await abortable(running[0]!, options.signal)
    void running.shift()
    return result
  }
  try {
    for await (const item of items) {
      const result = work(item)
      // The result is awaited later; without this handler an earlier rejection would be unhandled.
      result.catch(() => undefined)
      running.push(result)
      if (running.length >= options.concurrency) yield await oldest()
    }
    while (running.length > 0) yield await oldest()
  } finally {
    await Promise.allSettled(running)
  }
}
