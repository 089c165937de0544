import pLimit from 'p-limit'
import { forManyListeners } from '../../internal/for-many-listeners.ts'

/**
 * Runs one act for each item, at most `concurrency` at once. The first failure stops the others and is thrown when all
 * of them have come to rest, so that nothing goes on behind the caller's back.
 *
 * Items are to come largest first: the longest must not be the last to start. One place, if there are several, takes them
 * from the other end, so that small ones do not wait until all large ones are done.
 *
 * @param act - Gets a signal that fires with the caller's, or when another act has failed.
 */
export async function runTogether<T>(
  items: readonly T[],
  concurrency: number,
  signal: AbortSignal | undefined,
  act: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  signal?.throwIfAborted()
  const stop = new AbortController()
  const either = forManyListeners(signal ? AbortSignal.any([signal, stop.signal]) : stop.signal)
  const limit = pLimit(concurrency)
  const left = [...items]
  let running = 0
  let isSmallRunning = false
  let failure: { error: unknown } | undefined
  const runNext = async () => {
    if (either.aborted) return
    // The first place takes the largest, so that one alone is never the small one's.
    const isSmall = running > 0 && !isSmallRunning
    const item = (isSmall ? left.pop() : left.shift()) as T
    running++
    isSmallRunning ||= isSmall
    try {
      await act(item, either)
    } catch (error) {
      failure ??= { error }
      stop.abort(error)
    } finally {
      running--
      if (isSmall) isSmallRunning = false
    }
  }
  await Promise.all(items.map(() => limit(runNext)))
  signal?.throwIfAborted()
  if (failure) throw failure.error
}
