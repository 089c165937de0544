import { FormatError, StoreError } from '../../errors/index.ts'

type Release = () => void

/** Lets one holder at a time have a key, inside this process; the others wait in the order in which they came. */
export class KeyTurns {
  readonly #held = new Map<string, ((release: Release) => void)[]>()

  /** Resolves to what gives the key back, to be called once. */
  take(key: string, options: { wait: boolean; signal?: AbortSignal | undefined }): Promise<Release> {
    const waiting = this.#held.get(key)
    if (!waiting) {
      this.#held.set(key, [])
      return Promise.resolve(this.#releaseOf(key))
    }
    if (!options.wait) return Promise.reject(busy(key, 'this process'))
    return this.#wait(waiting, options.signal)
  }

  /** Whether somebody has the key now. */
  isHeld(key: string): boolean {
    return this.#held.has(key)
  }

  #wait(waiting: ((release: Release) => void)[], signal: AbortSignal | undefined): Promise<Release> {
    return new Promise((resolve, reject) => {
      const onTurn = (release: Release) => {
        signal?.removeEventListener('abort', onAbort)
        resolve(release)
      }
      const onAbort = () => {
        waiting.splice(waiting.indexOf(onTurn), 1)
        reject(signal?.reason)
      }
      waiting.push(onTurn)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
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

/** The error for a key that somebody else writes. */
export function busy(key: string, holder: string): StoreError {
  return new StoreError('ERR_INGEST_BUSY', `another writer of ${JSON.stringify(key)} is open, in ${holder}`)
}

/** SAFETY: a key is bounded before it is hashed, kept or printed. */
export function checkKey(key: string): void {
  if (typeof key === 'string' && key.length > 0 && key.length <= 512) return
  throw new FormatError('ERR_INVALID_ARGUMENT', 'the key of an ingest must be a text of 1 to 512 characters')
}
