let warned = false

/**
 * Emits a warning of the process, once, with the code `LAYERSTORE_NO_THREADS`: the calling thread does what worker
 * threads do elsewhere. Node refuses threads under `--permission`, and a bundler may have left out their code.
 */
export function warnNoThreads(cause: unknown): void {
  if (warned) return
  warned = true
  const why = cause instanceof Error ? cause.message : String(cause)
  process.emitWarning(`layerstore works on the calling thread, because no worker thread can be started: ${why}`, {
    code: 'LAYERSTORE_NO_THREADS',
  })
}
