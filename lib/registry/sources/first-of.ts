import { LayerStoreError } from '../../errors/index.ts'

/** Whether the failure is that of one place, and another may do better. */
export function isFaultOfSource(error: unknown, signal: AbortSignal | undefined): boolean {
  return !signal?.aborted && error instanceof LayerStoreError
}

/** Does the work with the first source that can; the failure of the last one is thrown. */
export async function firstOf<S, T>(
  sources: readonly S[],
  signal: AbortSignal | undefined,
  work: (source: S) => Promise<T>,
  onFailure: (source: S, error: LayerStoreError) => void,
): Promise<T> {
  for (const source of sources.slice(0, -1)) {
    try {
      return await work(source)
    } catch (error) {
      if (!isFaultOfSource(error, signal)) throw error
      onFailure(source, error as LayerStoreError)
    }
  }
  return work(sources.at(-1)!)
}
