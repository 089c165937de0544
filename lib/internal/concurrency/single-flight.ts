import { abortable } from '../abort.ts'

interface Flight<T> {
  readonly result: Promise<T>
  readonly stop: AbortController
  callers: number
  settled: boolean
}

/**
 * Runs one piece of work once for all callers that ask for the same key at the same time; they share its result or
 * failure.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /**
   * Joins the work of that key, or starts it. A caller leaves by its own signal; when the last caller has left, `work`
   * is aborted by the signal that it was given.
   */
  async run(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#start(key, work)
    flight.callers++
    try {
      return await abortable(flight.result, signal)
    } finally {
      flight.callers--
      if (flight.callers === 0 && !flight.settled) {
        this.#flights.delete(key)
        flight.stop.abort()
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const stop = new AbortController()
    const flight = { result: work(stop.signal), stop, callers: 0, settled: false }
    this.#flights.set(key, flight)
    const settle = () => {
      flight.settled = true
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    flight.result.then(settle, settle)
    return flight
  }
}
