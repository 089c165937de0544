import type * as promises from 'node:fs/promises'

class Faults {
  /** Names of the calls made since the last reset, in order. */
  calls: string[] = []
  /** Called before each call with its name, its count from 1 and its first argument; what it returns is thrown. */
  next: (name: string, count: number, path: unknown) => Error | undefined = () => undefined

  /** Maximum number of bytes that one write accepts. */
  longestWrite = Number.POSITIVE_INFINITY

  /** Called before each call with its name and arguments; the call waits for what it returns. */
  before: (name: string, args: readonly unknown[]) => Promise<unknown> | undefined = () => undefined

  /** Called instead of each call, unless it returns `undefined`. */
  instead: (name: string, args: readonly unknown[]) => Promise<unknown> | undefined = () => undefined

  reset(next: Faults['next'] = () => undefined): void {
    this.calls = []
    this.longestWrite = Number.POSITIVE_INFINITY
    this.before = () => undefined
    this.instead = () => undefined
    this.next = next
  }

  check(name: string, path: unknown): void {
    this.calls.push(name)
    const error = this.next(name, this.calls.length, path)
    if (error) throw error
  }
}

/** Selects the call of node:fs/promises that fails next, for tests that mock that module with {@link faultyFs}. */
export const faults: Faults = new Faults()

/** Creates an error in the form of a system error. */
export function systemError(code: string, syscall = 'injected'): Error {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall, errno: -1 })
}

const HANDLE_CALLS = [
  'sync',
  'datasync',
  'write',
  'writeFile',
  'read',
  'readFile',
  'stat',
  'chmod',
  'truncate',
] as const

/** Wraps node:fs/promises so that every call consults {@link faults} first. `close` never fails. */
export function faultyFs(real: typeof promises): typeof promises {
  const wrapped: Record<string, unknown> = { ...real }
  for (const [name, value] of Object.entries(real)) {
    if (typeof value !== 'function') continue
    wrapped[name] = async (...args: unknown[]) => {
      faults.check(name, args[0])
      await faults.before(name, args)
      const result = await (faults.instead(name, args) ?? (value as (...all: unknown[]) => Promise<unknown>)(...args))
      return name === 'open' ? faultyHandle(result as promises.FileHandle) : result
    }
  }
  return wrapped as typeof promises
}

function faultyHandle(handle: promises.FileHandle): promises.FileHandle {
  for (const name of HANDLE_CALLS) {
    const real = (handle[name] as (...args: unknown[]) => Promise<unknown>).bind(handle)
    Object.defineProperty(handle, name, {
      value: async (...args: unknown[]) => {
        faults.check(`handle.${name}`, args[0])
        await faults.before(`handle.${name}`, args)
        if (name === 'write' && typeof args[2] === 'number') args[2] = Math.min(args[2], faults.longestWrite)
        return real(...args)
      },
    })
  }
  return handle
}
