import pLimit from 'p-limit'
import { forManyListeners } from '../../internal/for-many-listeners.ts'

/**
 * Runs one act for each item, at most `concurrency` in parallel. The first failure aborts the other acts and is thrown
 * after all of them have stopped, so that no work remains in the background.
 *
 * Pass the items largest first, so that the longest act is not the last to start. If there are several slots, one of
 * them takes the items from the other end, so that small items need not wait for all large ones.
 *
 * @param act - Gets a signal that fires with the caller's signal, or when another act has failed.
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
    // The first slot takes the largest item: with `concurrency` 1, no slot is reserved for small items.
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
