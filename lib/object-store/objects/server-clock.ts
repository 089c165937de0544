/**
 * The clock of the service, as its last answer told it. Machines that share a bucket may have wrong clocks; the dates
 * of objects and this clock come from the same source.
 */
export class ServerClock {
  #toldMs: number | undefined
  #atMs = 0

  /** Takes the time of an answer. */
  note(serverTimeMs: number): void {
    this.#toldMs = serverTimeMs
    this.#atMs = performance.now()
  }

  /** Milliseconds since 1970. Before the first answer it is the time of this machine. */
  now(): number {
    return this.#toldMs === undefined ? Date.now() : this.#toldMs + (performance.now() - this.#atMs)
  }
}
