/** Options of every call that may take long. */
export interface AbortOptions {
  /** Stops the call; it then rejects with `signal.reason` as it is, and leaves no visible change. */
  readonly signal?: AbortSignal | undefined
}

/** Rejects with the reason of the signal as soon as it fires, whatever `work` does; `work` is expected to stop too. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  if (signal.aborted) {
    // The caller no longer awaits `work`; its failure must not become an unhandled rejection.
    work.catch(() => {})
    throw signal.reason
  }
  let onAbort!: () => void
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
