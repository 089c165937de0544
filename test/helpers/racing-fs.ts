import type * as fs from 'node:fs'

class Race {
  /**
   * Called before each call with its name and first argument. Its changes happen before the call; an error that it
   * throws is the failure of the call.
   */
  before: (name: string, path: unknown, flags: unknown) => void = () => undefined
  #within = false

  /** Runs `act` before the first call of `name` whose path has this ending. */
  on(name: string, ending: string, act: () => void): void {
    let isDone = false
    this.before = (call, path) => {
      if (isDone || call !== name || !String(path).endsWith(ending)) return
      isDone = true
      act()
    }
  }

  reset(): void {
    this.before = () => undefined
  }

  call(name: string, args: readonly unknown[]): void {
    // Calls of the test itself go through the same module.
    if (this.#within) return
    this.#within = true
    try {
      this.before(name, args[0], args[1])
    } finally {
      this.#within = false
    }
  }
}

/** Hook before synchronous calls of node:fs, for tests that mock that module with {@link racingFs}. */
export const race: Race = new Race()

/** Returns a function that throws an error in the form of a system error. */
export const failing = (code: string) => (): never => {
  throw Object.assign(new Error(`${code}: injected`), { code, syscall: 'injected', errno: -1 })
}

/** Wraps node:fs so that every synchronous call consults {@link race} first. */
export function racingFs(real: typeof fs): typeof fs {
  const wrapped: Record<string, unknown> = { ...real }
  for (const [name, value] of Object.entries(real)) {
    if (typeof value !== 'function' || !name.endsWith('Sync')) continue
    wrapped[name] = (...args: unknown[]) => {
      race.call(name, args)
      return (value as (...args: unknown[]) => unknown)(...args)
    }
  }
  return wrapped as typeof fs
}
