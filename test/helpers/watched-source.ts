/**
 * A stream that records how many chunks were taken and whether it was stopped; with `silent` it never ends after its
 * chunks.
 */
export function watchedSource(
  chunks: Iterable<Uint8Array>,
  options: { silent?: boolean } = {},
): { source: AsyncIterable<Uint8Array>; state: { taken: number; returned: boolean } } {
  const state = { taken: 0, returned: false }
  const iterator = chunks[Symbol.iterator]()
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const step = iterator.next()
        if (step.done && options.silent) return new Promise<never>(() => {})
        if (!step.done) state.taken++
        return step
      },
      return: async () => {
        state.returned = true
        return { value: undefined, done: true }
      },
    }),
  }
  return { source, state }
}
