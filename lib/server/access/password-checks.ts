import { LRUCache } from 'lru-cache'
import { abortable } from '../../internal/abort.ts'
import { keyedHash } from './same-text.ts'

/** Answers that are kept, of each kind. */
const REMEMBERED = 1000
/** A user who comes back within this time is not checked again; each time counts anew. */
const RIGHT_MS = 3_600_000

/** How many password checks may wait, and how long a wrong password is remembered. */
export interface PasswordCheckLimits {
  readonly maxWaiting: number
  readonly maxWaitingPerClient: number
  readonly rememberWrongMs: number
}

interface Check {
  readonly username: string
  readonly password: string
  readonly client: string
  readonly answer: Promise<boolean | 'busy'>
  readonly settle: (answer: boolean | 'busy' | Promise<boolean>) => void
  /** Requests that wait for the answer. */
  callers: number
}

/**
 * Checks passwords, which is slow on purpose, one after the other, and remembers the answers.
 *
 * SAFETY: clients that send wrong passwords without end must cost the others nothing. So: few checks wait, fewer of one
 * client; the clients take turns; what is answered already, or asked by another request, is not computed again; and a check
 * that no request waits for any more is left out. Passwords are remembered as keyed hashes, whose key is of this process.
 */
export class PasswordChecks {
  readonly #verify: (username: string, password: string) => Promise<boolean>
  readonly #limits: PasswordCheckLimits
  readonly #right = new LRUCache<string, true>({ max: REMEMBERED, ttl: RIGHT_MS, updateAgeOnGet: true })
  readonly #wrong: LRUCache<string, true>
  /** Every check that waits or runs, by its keyed hash. */
  readonly #checks = new Map<string, Check>()
  /** The keys of those that wait, by client; the client at the front is the next. */
  readonly #waiting = new Map<string, string[]>()
  #isChecking = false

  constructor(verify: (username: string, password: string) => Promise<boolean>, limits: PasswordCheckLimits) {
    this.#verify = verify
    this.#limits = limits
    this.#wrong = new LRUCache({ max: REMEMBERED, ttl: limits.rememberWrongMs })
  }

  /**
   * Whether a password is right; `'busy'` if too many checks wait.
   *
   * @throws what `verify` throws, and the signal's reason.
   */
  async ask(username: string, password: string, client: string, signal?: AbortSignal): Promise<boolean | 'busy'> {
    const key = keyedHash(JSON.stringify([username, password])).toString('base64')
    if (this.#right.get(key)) return true
    if (this.#wrong.get(key)) return false
    const check = this.#checks.get(key) ?? this.#enqueue(key, username, password, client)
    if (!check) return 'busy'
    check.callers++
    try {
      return await abortable(check.answer, signal)
    } finally {
      check.callers--
      if (check.callers === 0) this.#leaveOut(key, check)
    }
  }

  #enqueue(key: string, username: string, password: string, client: string): Check | undefined {
    const mine = this.#waiting.get(client) ?? []
    if (mine.length >= this.#limits.maxWaitingPerClient) return undefined
    if (this.#waitingCount() >= this.#limits.maxWaiting && !this.#turnAway(mine.length)) return undefined
    let settle!: Check['settle']
    const answer = new Promise<boolean | 'busy'>(resolve => {
      settle = resolve
    })
    const check = { username, password, client, answer, settle, callers: 0 }
    this.#checks.set(key, check)
    mine.push(key)
    this.#waiting.set(client, mine)
    void this.#work()
    return check
  }

  #waitingCount(): number {
    let count = 0
    for (const { length } of this.#waiting.values()) count += length
    return count
  }

  /** Answers `busy` to the last check of the client that has the most, if that is more than a newcomer would have. */
  #turnAway(newcomers: number): boolean {
    const [most = []] = [...this.#waiting.values()].sort((a, b) => b.length - a.length)
    const key = most.length > newcomers + 1 ? most.at(-1) : undefined
    const check = key === undefined ? undefined : this.#checks.get(key)
    if (key === undefined || !check) return false
    this.#leaveOut(key, check)
    check.settle('busy')
    return true
  }

  /** Takes a check back, unless it runs already. */
  #leaveOut(key: string, check: Check): void {
    const mine = this.#waiting.get(check.client)
    const at = mine?.indexOf(key) ?? -1
    if (!mine || at < 0) return
    mine.splice(at, 1)
    if (mine.length === 0) this.#waiting.delete(check.client)
    this.#checks.delete(key)
  }

  async #work(): Promise<void> {
    if (this.#isChecking) return
    this.#isChecking = true
    for (let key = this.#next(); key !== undefined; key = this.#next()) await this.#run(key, this.#checks.get(key)!)
    this.#isChecking = false
  }

  /** The clients take turns. */
  #next(): string | undefined {
    for (const [client, keys] of this.#waiting) {
      const key = keys.shift()
      this.#waiting.delete(client)
      if (keys.length > 0) this.#waiting.set(client, keys)
      return key
    }
    return undefined
  }

  async #run(key: string, { username, password, settle }: Check): Promise<void> {
    const answer = this.#verify(username, password)
    settle(answer)
    try {
      const cache = (await answer) ? this.#right : this.#wrong
      cache.set(key, true)
    } catch {
      // The requests that wait for it are told; the next one asks anew.
    } finally {
      this.#checks.delete(key)
    }
  }
}
