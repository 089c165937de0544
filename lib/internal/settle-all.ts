/**
 * Resolves to the results of all promises. Rejects with the first failure, but only after all promises have settled, so
 * no work continues after the caller got its answer.
 */
export async function settleAll<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  const settled: readonly PromiseSettledResult<unknown>[] = await Promise.allSettled(work)
  const failed = settled.find(result => result.status === 'rejected')
  if (failed) throw failed.reason
  return settled.map(result => (result as PromiseFulfilledResult<unknown>).value) as unknown as T
}
