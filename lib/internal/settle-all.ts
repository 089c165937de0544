/**
 * The results of all; rejects with the first failure, but only when all have come to their end: nothing goes on behind the
 * back of the caller.
 */
export async function settleAll<T>(work: Iterable<Promise<T>>): Promise<T[]> {
  const settled = await Promise.allSettled(work)
  const failed = settled.find(result => result.status === 'rejected')
  if (failed) throw failed.reason
  return settled.map(result => (result as PromiseFulfilledResult<T>).value)
}
