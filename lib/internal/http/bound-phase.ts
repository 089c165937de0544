import type { Writable } from 'node:stream'
import { timeoutError } from './timeout-error.ts'

/** Time limit of one phase of an exchange. */
export interface PhaseLimit {
  /** The phase as the error names it, such as `connection`. */
  readonly what: string
  readonly ms: number
  /** Aborted when the exchange is over. */
  readonly over: AbortSignal
}

/**
 * Waits for a phase of an exchange and destroys the call if the phase exceeds its time limit. Resolves early when the
 * exchange is over.
 */
export async function boundPhase(call: Writable, phase: Promise<void>, { what, ms, over }: PhaseLimit): Promise<void> {
  if (over.aborted) return
  const timer = setTimeout(() => call.destroy(timeoutError(what, ms)), ms)
  const ended = new Promise<void>(resolve => over.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([phase, ended])
  clearTimeout(timer)
}
