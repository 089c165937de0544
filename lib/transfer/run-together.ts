import pLimit from 'p-limit'

/**
 * Runs one act for each item, at most `concurrency` at once. The first failure stops the others and is thrown when all
 * of them have come to rest, so that nothing goes on behind the caller's back.
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
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const limit = pLimit(concurrency)
  let failure: { error: unknown } | undefined
  await Promise.all(
    items.map(item =>
      limit(async () => {
        if (either.aborted) return
        try {
          await act(item, either)
        } catch (error) {
          failure ??= { error }
          stop.abort(error)
        }
      }),
    ),
  )
  signal?.throwIfAborted()
  if (failure) throw failure.error
}
