import { setMaxListeners } from 'node:events'

/** A signal that fires with another one and that any number of waits may listen to: Node warns of a leak from the eleventh on. */
export function forManyListeners(signal: AbortSignal): AbortSignal {
  const own = AbortSignal.any([signal])
  setMaxListeners(0, own)
  return own
}
