import { BucketError } from '../../../errors/index.ts'
import { SingleFlight } from '../../../internal/concurrency/single-flight.ts'
import type { BucketCredentialSource, BucketCredentials } from './credentials.ts'

/** Time before the end of a key from which on it is not used any more. */
const MARGIN_MS = 60_000

/** Keeps a key until it ends. Requests that need a new one at the same time wait for one call of its source. */
export class CredentialCache {
  readonly #source: BucketCredentialSource
  readonly #flight = new SingleFlight<BucketCredentials>()
  #known: BucketCredentials | undefined

  constructor(source: BucketCredentialSource) {
    this.#source = source
  }

  async get(signal: AbortSignal | undefined): Promise<BucketCredentials> {
    const known = this.#known
    if (known && !endsSoon(known)) return known
    return this.#flight.run('key', () => this.#ask(), signal)
  }

  /** Forgets a key that the service called expired. Returns whether another one may be had. */
  forget(refused: BucketCredentials): boolean {
    if (typeof this.#source !== 'function') return false
    if (this.#known === refused) this.#known = undefined
    return true
  }

  async #ask(): Promise<BucketCredentials> {
    const source = this.#source
    const given = typeof source === 'function' ? await called(source) : source
    this.#known = assertCredentials(given)
    return given
  }
}

function endsSoon({ expiration }: BucketCredentials): boolean {
  return expiration !== undefined && expiration.getTime() - Date.now() < MARGIN_MS
}

async function called(source: () => BucketCredentials | PromiseLike<BucketCredentials>): Promise<BucketCredentials> {
  try {
    return await source()
  } catch (cause) {
    if (BucketError.is(cause)) throw cause
    throw new BucketError('ERR_BUCKET_CREDENTIALS', 'the function for credentials failed; see the cause', undefined, {
      cause,
    })
  }
}

/** SAFETY: the message quotes no part of the value, because a caller may have mixed up key and secret. */
function assertCredentials(given: unknown): BucketCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = (given ?? {}) as Partial<BucketCredentials>
  const isText = (value: unknown) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
  const fault = !isText(accessKeyId)
    ? 'accessKeyId must be a text of visible ASCII characters'
    : !isText(secretAccessKey)
      ? 'secretAccessKey must be a text of visible ASCII characters'
      : sessionToken !== undefined && !isText(sessionToken)
        ? 'sessionToken must be a text of visible ASCII characters'
        : expiration !== undefined && !(expiration instanceof Date)
          ? 'expiration must be a Date'
          : undefined
  if (fault) throw new BucketError('ERR_BUCKET_CREDENTIALS', `unusable credentials: ${fault}`)
  return given as BucketCredentials
}
