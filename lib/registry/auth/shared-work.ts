import { abortable } from '../../internal/abort.ts'

interface Flight<T> {
  readonly result: Promise<T>
  readonly stop: AbortController
  waiting: number
  landed: boolean
}

/** Does one piece of work once for all who ask for it at the same time. */
export class SharedWork<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /** Joins the flight of that key, or starts it. A caller may leave by its signal; when the last leaves, work stops. */
  async join(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#start(key, work)
    flight.waiting++
    try {
      return await abortable(flight.result, signal)
    } finally {
      flight.waiting--
      if (flight.waiting === 0 && !flight.landed) {
        this.#flights.delete(key)
        flight.stop.abort()
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const stop = new AbortController()
    const flight = { result: work(stop.signal), stop, waiting: 0, landed: false }
    this.#flights.set(key, flight)
    const land = () => {
      flight.landed = true
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    flight.result.then(land, land)
    return flight
  }
}
