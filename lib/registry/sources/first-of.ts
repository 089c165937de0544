import { LayerStoreError } from '../../errors/index.ts'

/** True if a failure concerns only its source, so that another source may succeed. */
export function isFaultOfSource(error: unknown, signal: AbortSignal | undefined): boolean {
  return !signal?.aborted && error instanceof LayerStoreError
}

/** Runs the work at each source until one succeeds. If all fail, throws the failure of the last one. */
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
