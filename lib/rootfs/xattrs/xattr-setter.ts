import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { isErrno } from '../../internal/errno.ts'
import type { XattrAccess } from '../../internal/xattr-access.ts'
import type { XattrProgram } from './xattr-program.ts'

/** Called with the reason if an attribute cannot be set: a code of the system, or a message. */
export type OnRefused = (reason: string) => void

/** Sets extended attributes, at once or later. */
export interface XattrSetter {
  /** Sets an attribute of what is at a path now; links are followed. A fault other than a refusal throws. */
  set(path: string, name: string, value: Uint8Array, onRefused: OnRefused): void
  /** Sets what is not set yet. */
  flush(): void
}

const REFUSALS = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'E2BIG', 'ERANGE', 'ENOSPC', 'EINVAL'] as const

/** Sets attributes by calls of this process. */
export function directXattrs(access: XattrAccess): XattrSetter {
  return {
    set(path, name, value, onRefused) {
      try {
        access.set(path, name, value)
      } catch (error) {
        if (!isErrno(error, ...REFUSALS)) throw error
        onRefused(error.code as string)
      }
    },
    flush() {},
  }
}

/** PERF: a start of the program takes 5 ms; so many attributes share one. Each has a file descriptor meanwhile. */
const MOST_WAITING = 64
/** First descriptor of the program that is not a standard stream. */
const FIRST = 3
const O_PATH = 0o10000000

interface Waiting {
  readonly fd: number
  readonly name: string
  readonly value: Uint8Array
  readonly onRefused: OnRefused
}

/**
 * Sets attributes by a program, many at once.
 *
 * SAFETY: the program gets handles, no paths: another process may replace a file by a link before the program runs.
 */
export class ProgramXattrs implements XattrSetter {
  readonly #program: XattrProgram
  readonly #waiting: Waiting[] = []

  constructor(program: XattrProgram) {
    this.#program = program
  }

  set(path: string, name: string, value: Uint8Array, onRefused: OnRefused): void {
    this.#waiting.push({ fd: openSync(path, O_PATH), name, value, onRefused })
    if (this.#waiting.length === MOST_WAITING) this.flush()
  }

  flush(): void {
    const waiting = this.#waiting.splice(0)
    if (waiting.length === 0) return
    try {
      for (const [index, reason] of this.#run(waiting)) waiting[index]?.onRefused(reason)
    } finally {
      for (const { fd } of waiting) closeSync(fd)
    }
  }

  #run(waiting: readonly Waiting[]): Map<number, string> {
    const { path, set } = this.#program
    const input = waiting.map(({ name, value }, i) => `${FIRST + i} ${hex(Buffer.from(name))} ${hex(value)}\n`).join('')
    const { status, stdout, stderr, error } = spawnSync(path, set, {
      input,
      stdio: ['pipe', 'pipe', 'pipe', ...waiting.map(({ fd }) => fd)],
      env: { LC_ALL: 'C' },
      timeout: 60_000,
    })
    if (status !== 0) {
      // A program that ends before it has read everything causes EPIPE; what it printed says why.
      const printed = stderr?.toString('utf8').trim().split('\n').at(-1)
      const reason = printed || error?.message || `${path} failed`
      return new Map(waiting.map((_, i) => [i, reason]))
    }
    const lines = stdout.toString('utf8').split('\n').filter(Boolean)
    return new Map(lines.map(line => line.split(' ').map(Number) as [number, number]).map(([i, n]) => [i, codeOf(n)]))
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function codeOf(errno: number): string {
  const codes = Object.entries(constants.errno)
  return codes.find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`
}
