/** Releases the mutex of one key. Further calls do nothing. */
export type Release = () => void

/** One mutex per key, inside this process. Waiters get the mutex in the order in which they asked. */
export class KeyedMutex {
  /** The waiters of each key that is held. */
  readonly #held = new Map<string, ((release: Release) => void)[]>()

  /** Waits until no other caller holds the key. Rejects with the signal's reason. */
  acquire(key: string, signal?: AbortSignal): Promise<Release> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const waiters = this.#held.get(key)
    if (waiters) return wait(waiters, signal)
    return Promise.resolve(this.#hold(key))
  }

  /** Acquires the key at once, or returns `undefined` if another caller holds it. */
  tryAcquire(key: string): Release | undefined {
    return this.#held.has(key) ? undefined : this.#hold(key)
  }

  /** Whether a caller holds the key now. */
  isHeld(key: string): boolean {
    return this.#held.has(key)
  }

  /** Runs an act while no other caller holds the key. */
  async runExclusive<T>(key: string, act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.acquire(key, signal)
    try {
      return await act()
    } finally {
      release()
    }
  }

  #hold(key: string): Release {
    this.#held.set(key, [])
    return this.#releaseOf(key)
  }

  #releaseOf(key: string): Release {
    let released = false
    return () => {
      if (released) return
      released = true
      const next = this.#held.get(key)?.shift()
      if (next) next(this.#releaseOf(key))
      else this.#held.delete(key)
    }
  }
}

function wait(waiters: ((release: Release) => void)[], signal: AbortSignal | undefined): Promise<Release> {
  return new Promise((resolve, reject) => {
    const grant = (release: Release) => {
      signal?.removeEventListener('abort', onAbort)
      resolve(release)
    }
    const onAbort = () => {
      waiters.splice(waiters.indexOf(grant), 1)
      reject(signal?.reason)
    }
    waiters.push(grant)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
