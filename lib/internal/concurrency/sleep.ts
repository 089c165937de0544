import { setTimeout as delay } from 'node:timers/promises'

/** Waits. Rejects with the signal's reason as soon as it fires, and leaves no timer. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch (error) {
    // NODE: timers/promises rejects with an AbortError of its own; the reason of the caller is only its cause.
    throw signal?.aborted ? signal.reason : error
  }
}
