import { randomUUID } from 'node:crypto'
import { StoreError } from '../../errors/index.ts'
import { type AbortOptions, abortable } from '../../internal/abort.ts'
import { assertMembers } from '../../internal/assert-kind.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { invalidArgument } from '../../internal/invalid-argument.ts'
import type { BucketLocks, HeldBucketLock } from './bucket-locks.ts'

/** The part of a Redis client that the locks use: `sendCommand` of node-redis, or `call` of ioredis. */
export type RedisClient =
  | {
      /** Sends a command of node-redis. */
      sendCommand(words: string[]): Promise<unknown>
    }
  | {
      /** Sends a command of ioredis. */
      call(command: string, ...words: string[]): Promise<unknown>
    }

/** Options of {@link redisLocks}. */
export interface RedisLocksOptions {
  /** Text before the names of the locks. @defaultValue `layerstore:` */
  readonly prefix?: string | undefined
  /** Time after which a lock expires if its process died, in milliseconds, from 1 s. @defaultValue 30 s */
  readonly expiresInMs?: number | undefined
}

const EXPIRES_MS = 30_000
const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 250
/** Deletes the lock only if it is still the own one. */
const RELEASE = 'if redis.call("get",KEYS[1])==ARGV[1] then return redis.call("del",KEYS[1]) else return 0 end'

/**
 * Locks in Redis, for a bucket without conditional writes. The library imports no Redis client: pass a connected one
 * (node-redis or ioredis). One Redis server, not several: a replica that is promoted may lack a lock.
 *
 * A lock is a key that only its owner removes. It expires; a process that held it longer than half of that time does
 * not write any more. No call waits longer than that time for an answer of Redis.
 *
 * @example
 * ```ts
 * const sendCommand = async (words: string[]): Promise<unknown> => words // that of a connected client
 * const locks = redisLocks({ sendCommand })
 * await using store = await openObjectStore({ bucket: 'images', endpoint: 'https://swift.example', locks })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`. Acquiring rejects with the errors of the client; a late writer
 * and a wait for a silent Redis with {@link StoreError} `ERR_STORE_LOCKED`.
 */
export function redisLocks(client: RedisClient, options: RedisLocksOptions = {}): BucketLocks {
  const method = 'sendCommand' in (client ?? {}) ? 'sendCommand' : 'call'
  assertMembers(client, 'client', 'a connected client of Redis', [method])
  const { prefix = 'layerstore:', expiresInMs = EXPIRES_MS } = options
  if (!(Number.isSafeInteger(expiresInMs) && expiresInMs >= 1000)) {
    throw invalidArgument('expiresInMs', 'a whole number from 1000', expiresInMs)
  }
  return new RedisLocks(words => send(client, words), prefix, expiresInMs)
}

function send(client: RedisClient, words: string[]): Promise<unknown> {
  if ('sendCommand' in client) return client.sendCommand(words)
  const [command, ...rest] = words
  return client.call(command as string, ...rest)
}

class RedisLocks implements BucketLocks {
  readonly #send: (words: string[]) => Promise<unknown>
  readonly #prefix: string
  readonly #expiresInMs: number

  constructor(send: (words: string[]) => Promise<unknown>, prefix: string, expiresInMs: number) {
    this.#send = send
    this.#prefix = prefix
    this.#expiresInMs = expiresInMs
  }

  async acquire(name: string, { signal }: AbortOptions = {}): Promise<HeldBucketLock> {
    const key = this.#prefix + name
    const token = randomUUID()
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted()
      const askedMs = performance.now()
      const words = ['SET', key, token, 'NX', 'PX', String(this.#expiresInMs)]
      const asked = this.#send(words)
      try {
        if ((await abortable(this.#bounded(asked, key), signal)) !== null) return this.#held(key, token, askedMs)
      } catch (error) {
        // SAFETY: Redis may still grant the lock. No process holds it then, and all others wait until it expires.
        asked.then(granted => granted !== null && this.#release(key, token)).catch(() => undefined)
        throw error
      }
      await sleep(pause * (0.5 + Math.random()), signal)
    }
  }

  #held(key: string, token: string, askedMs: number): HeldBucketLock {
    return {
      assertHeld: () => {
        // SAFETY: the other half of the time is for the write itself, which may take long.
        if (performance.now() - askedMs < this.#expiresInMs / 2) return
        throw new StoreError('ERR_STORE_LOCKED', `the lock ${key} was held too long to write safely; try again`)
      },
      release: async () => void (await this.#bounded(this.#release(key, token), key)),
    }
  }

  #release(key: string, token: string): Promise<unknown> {
    return this.#send(['EVAL', RELEASE, '1', key, token])
  }

  /** Waits for an answer until the lock would have expired: clients of Redis wait for ever. */
  async #bounded(answer: Promise<unknown>, key: string): Promise<unknown> {
    const answered = new AbortController()
    const silence = sleep(this.#expiresInMs, answered.signal).then(() => {
      const message = `Redis has not answered for ${this.#expiresInMs} ms to a request for the lock ${key}`
      throw new StoreError('ERR_STORE_LOCKED', `${message}: look at the server and its address, then try again`)
    })
    silence.catch(() => undefined)
    try {
      return await Promise.race([answer, silence])
    } finally {
      answered.abort()
    }
  }
}
