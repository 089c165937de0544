import { setMaxListeners } from 'node:events'

/**
 * A signal that fires with the given one and accepts any number of listeners. NODE: an EventTarget warns of a leak from
 * the eleventh listener on.
 */
export function forManyListeners(signal: AbortSignal): AbortSignal {
  const own = AbortSignal.any([signal])
  setMaxListeners(0, own)
  return own
}
