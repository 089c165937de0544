import type { Digest } from '../../digest/index.ts'
import { createOwner, type Owner } from '../../internal/locks/owner.ts'
import type { LeaseRecord } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { jsonBytes } from '../objects/read-object.ts'
import { leaseKey } from './lease-objects.ts'

/** Time without a new name after which the lease ends. */
const IDLE_MS = 3000
const EXPIRES_MS = 10 * 60_000
/** A lease that is older is written again before the next name relies on it. */
const FRESH_MS = 2 * 60_000
/** Images that stay in the lease although no name is being set to them. */
const MOST_IDLE = 100

/**
 * The lease that protects images while names are set to them: one for all names of an open store.
 *
 * PERF: a lease for each name would be two requests more. Names that are set together share one write of the lease, and
 * an image that gets several names is in it already.
 */
export class NamingLease {
  readonly #context: ObjectContext
  /** Images in the lease, and the number of names that are being set to each. */
  readonly #users = new Map<Digest, number>()
  #written: ReadonlySet<Digest> = new Set()
  #writtenMs = Number.NEGATIVE_INFINITY
  #next: Promise<void> | undefined
  #running: Promise<unknown> = Promise.resolve()
  #owner: Owner | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(context: ObjectContext) {
    this.#context = context
  }

  /** Resolves when the lease names an image, to the function that ends its protection. */
  async cover(digest: Digest): Promise<() => void> {
    clearTimeout(this.#timer)
    this.#users.set(digest, (this.#users.get(digest) ?? 0) + 1)
    try {
      while (!this.#isCovered(digest)) await this.#write()
    } catch (error) {
      this.#release(digest)
      throw error
    }
    return () => this.#release(digest)
  }

  #isCovered(digest: Digest): boolean {
    return this.#written.has(digest) && performance.now() - this.#writtenMs < FRESH_MS
  }

  #release(digest: Digest): void {
    this.#users.set(digest, (this.#users.get(digest) ?? 1) - 1)
    clearTimeout(this.#timer)
    if (this.#isIdle()) this.#timer = setTimeout(() => void this.#end().catch(() => undefined), IDLE_MS).unref()
  }

  #isIdle(): boolean {
    return [...this.#users.values()].every(users => users === 0)
  }

  /** Joins the next write; one that runs may have begun before the image was added. */
  #write(): Promise<void> {
    this.#next ??= this.#inTurn(async () => {
      this.#next = undefined
      this.#forgetIdle()
      const digests = [...this.#users.keys()]
      this.#owner ??= await createOwner()
      const sinceMs = this.#context.clock.now()
      const label = 'setting names'
      const record: LeaseRecord = { version: 1, owner: this.#owner, label, sinceMs, expiresInMs: EXPIRES_MS, digests }
      await this.#context.bucket.put(this.#key(this.#owner), jsonBytes(record))
      this.#written = new Set(digests)
      this.#writtenMs = performance.now()
    })
    return this.#next
  }

  #forgetIdle(): void {
    const idle = [...this.#users].filter(([, users]) => users === 0).map(([digest]) => digest)
    for (const digest of idle.slice(0, Math.max(0, idle.length - MOST_IDLE))) this.#users.delete(digest)
  }

  #end(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#owner || this.#written.size === 0 || !this.#isIdle()) return
      this.#written = new Set()
      this.#users.clear()
      await this.#context.bucket.delete(this.#key(this.#owner))
    })
  }

  /** Ends the lease. No name is being set any more. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#end().catch(() => undefined)
  }

  #key({ pid, nonce }: Owner): string {
    return leaseKey(`${pid}-${nonce}`)
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#running.then(act)
    this.#running = done.catch(() => undefined)
    return done
  }
}
