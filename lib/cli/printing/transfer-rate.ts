/** A rate is that of the last seconds: long enough to be steady, short enough to follow a change. */
const WINDOW_MS = 5000
const SAMPLE_MS = 100
/** A shorter time says nothing about a rate. */
const LEAST_MS = 300

/** Measures bytes per second over the last seconds. */
export class TransferRate {
  readonly #samples: { readonly at: number; readonly bytes: number }[] = []
  #latest = 0

  /** Adds the bytes that have arrived so far, at a time in milliseconds. The first ones include earlier attempts. */
  add(bytes: number, at: number): void {
    this.#latest = bytes
    const last = this.#samples.at(-1)
    // A few samples are enough, however often blocks arrive.
    if (!last || at - last.at >= SAMPLE_MS) this.#samples.push({ at, bytes })
    while (this.#samples.length > 2 && at - this.#samples[1]!.at > WINDOW_MS) this.#samples.shift()
  }

  /** Returns bytes per second; `undefined` until there is enough to tell. */
  at(now: number): number | undefined {
    const [first] = this.#samples
    if (!first || now - first.at < LEAST_MS) return undefined
    return (1000 * Math.max(0, this.#latest - first.bytes)) / (now - first.at)
  }
}
