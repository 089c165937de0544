import { LRUCache } from 'lru-cache'
import { abortable } from '../../internal/abort.ts'
import { keyedHash } from './same-text.ts'

/** Right and wrong answers that are remembered, each. */
const REMEMBERED = 1000
/** Time since its last use for which a right password is accepted without a check. */
const RIGHT_MS = 3_600_000

/** Limits of {@link PasswordChecks}. */
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
  /** Number of requests that wait for the answer. */
  callers: number
}

/**
 * Checks passwords one at a time (a check is slow on purpose) and remembers the answers.
 *
 * SAFETY: a client may send wrong passwords without end; each check takes about 65 ms of processor time, and users of
 * other clients would wait for all of them. The class prevents that:
 * 1. The queue is short, and shorter for each client.
 * 2. Clients take turns (round robin).
 * 3. A remembered answer, and a check that another request has queued, is not computed again.
 * 4. A check that no request waits for any more is removed from the queue.
 *
 * Passwords are remembered as keyed hashes; the key never leaves this process.
 */
export class PasswordChecks {
  readonly #verify: (username: string, password: string) => Promise<boolean>
  readonly #limits: PasswordCheckLimits
  readonly #right = new LRUCache<string, true>({ max: REMEMBERED, ttl: RIGHT_MS, updateAgeOnGet: true })
  readonly #wrong: LRUCache<string, true>
  /** All waiting and running checks, by keyed hash. */
  readonly #checks = new Map<string, Check>()
  /** Keys of the waiting checks, by client; the first client is served next. */
  readonly #waiting = new Map<string, string[]>()
  #isChecking = false

  constructor(verify: (username: string, password: string) => Promise<boolean>, limits: PasswordCheckLimits) {
    this.#verify = verify
    this.#limits = limits
    this.#wrong = new LRUCache({ max: REMEMBERED, ttl: limits.rememberWrongMs })
  }

  /**
   * Resolves to whether a password is right, or to `'busy'` if too many checks wait.
   *
   * @throws the error of `verify`, or the signal's reason.
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
      if (check.callers === 0) this.#dequeue(key, check)
    }
  }

  #enqueue(key: string, username: string, password: string, client: string): Check | undefined {
    const mine = this.#waiting.get(client) ?? []
    if (mine.length >= this.#limits.maxWaitingPerClient) return undefined
    if (this.#waitingCount() >= this.#limits.maxWaiting && !this.#evict(mine.length)) return undefined
    let settle!: Check['settle']
    const answer = new Promise<boolean | 'busy'>(resolve => {
      settle = resolve
    })
    const check = { username, password, client, answer, settle, callers: 0 }
    this.#checks.set(key, check)
    mine.push(key)
    this.#waiting.set(client, mine)
    void this.#runQueue()
    return check
  }

  #waitingCount(): number {
    let count = 0
    for (const { length } of this.#waiting.values()) count += length
    return count
  }

  /**
   * Answers `busy` to the last check of the client with the longest queue, if that queue stays longer than the
   * newcomer's.
   */
  #evict(newcomerLength: number): boolean {
    const [most = []] = [...this.#waiting.values()].sort((a, b) => b.length - a.length)
    const key = most.length > newcomerLength + 1 ? most.at(-1) : undefined
    const check = key === undefined ? undefined : this.#checks.get(key)
    if (key === undefined || !check) return false
    this.#dequeue(key, check)
    check.settle('busy')
    return true
  }

  /** Removes a waiting check from the queue; a running check is left alone. */
  #dequeue(key: string, check: Check): void {
    const mine = this.#waiting.get(check.client)
    const at = mine?.indexOf(key) ?? -1
    if (!mine || at < 0) return
    mine.splice(at, 1)
    if (mine.length === 0) this.#waiting.delete(check.client)
    this.#checks.delete(key)
  }

  async #runQueue(): Promise<void> {
    if (this.#isChecking) return
    this.#isChecking = true
    for (let key = this.#next(); key !== undefined; key = this.#next()) await this.#run(key, this.#checks.get(key)!)
    this.#isChecking = false
  }

  /** Takes the next check from the queue: clients take turns. */
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
      // `settle` has passed the failure to the waiting requests; the next request starts a new check.
    } finally {
      this.#checks.delete(key)
    }
  }
}
