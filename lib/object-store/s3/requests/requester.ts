import { createHash } from 'node:crypto'
import { BucketError } from '../../../errors/index.ts'
import { Semaphore } from '../../../internal/concurrency/semaphore.ts'
import { sleep } from '../../../internal/concurrency/sleep.ts'
import { bucketErrorOf, type WireFault, wireFaultOf } from '../answers/answer-fault.ts'
import { type ReadAnswer, readAnswer, serverTimeOf } from '../answers/read-answer.ts'
import { readXml } from '../answers/read-xml.ts'
import type { ObjectBody } from '../bucket.ts'
import type { CredentialCache } from '../credentials/credential-cache.ts'
import type { BucketCredentials } from '../credentials/credentials.ts'
import { encodePath, encodeQuery, type QueryPairs } from '../signing/encode.ts'
import { presignQuery } from '../signing/presign-query.ts'
import { signHeaders } from '../signing/sign-headers.ts'
import { UNSIGNED } from '../signing/signature.ts'
import type { HttpClient } from '../transport/http-client.ts'
import type { HttpAnswer, HttpRequest } from '../transport/wire.ts'
import { exchangeError } from './exchange-error.ts'
import { type BucketRetryOptions, RequestBudget } from './request-budget.ts'

/** One request of the S3 protocol. */
export interface S3Request {
  readonly method: string
  /** Key with the prefix; without it the request goes to the bucket. */
  readonly key?: string | undefined
  readonly query?: QueryPairs | undefined
  /** Headers by their names in lower case. All are signed. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: ObjectBody | undefined
  /** The program of the caller writes the body, and may make other requests for it. */
  readonly isStreamed?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Statuses besides 2xx that the caller judges itself. */
  readonly accept?: readonly number[] | undefined
  /** The service may begin a success and then tell a failure in its document. */
  readonly mayFailLate?: boolean | undefined
  /** Called before the request is sent again although the service may still work on the try before. */
  readonly onRepeat?: (() => void) | undefined
  /** Replaces the limit for the head of the answer. */
  readonly answerMs?: number | undefined
}

/** A read answer, and whether an earlier try may have been carried out too. */
export interface SentRequest {
  readonly answer: ReadAnswer
  readonly repeated: boolean
}

/** Settings of a requester. */
export interface RequesterSetup {
  readonly origin: URL
  /** Encoded path of the bucket without a slash at its end; empty if the host names the bucket. */
  readonly basePath: string
  readonly bucket: string
  readonly region: string
  readonly credentials: CredentialCache
  readonly client: HttpClient
  readonly retry: BucketRetryOptions
}

const EMPTY_HASH = createHash('sha256').digest('hex')
/** Times that one request is signed anew because of the clock or of an ended key. */
const MOST_CORRECTIONS = 2
/** Requests of one store that wait for their answers at once; Ceph refuses more than 1,024 of all its clients. */
const AT_ONCE = 64
/** A conflict, too many requests, and a busy service; after another error the service may go on with the request. */
const REFUSALS = [409, 429, 503]
const ENDED_KEYS = ['ExpiredToken', 'InvalidToken', 'TokenRefreshRequired']

/** Signs and sends the requests to one bucket, and repeats those that failed for a moment. */
export class Requester {
  readonly #setup: RequesterSetup
  readonly #permits = new Semaphore(AT_ONCE)
  /** Milliseconds by which the clock of the service is ahead, once it has refused a request for its time. */
  #skew = 0

  constructor(setup: RequesterSetup) {
    this.#setup = setup
  }

  /**
   * Sends a request and reads its answer. Waits while many requests are being answered. A request that pauses before
   * its next try counts as one of them, so a busy service gets fewer. One whose bytes come from the caller does not
   * count: they may wait for other requests.
   */
  async send(request: S3Request): Promise<SentRequest> {
    const release = request.isStreamed ? undefined : await this.#permits.acquire(request.signal)
    try {
      const { value, repeated } = await this.#carryOut(request, async answer => {
        const read = await readAnswer(answer)
        if (request.mayFailLate && isLateFault(read))
          throw bucketErrorOf(read, wireFaultOf(read), this.placeOf(request))
        return read
      })
      return { answer: value, repeated }
    } finally {
      release?.()
    }
  }

  /** Sends a request and resolves to its answer, whose body is not read yet. The caller may read it slowly. */
  async open(request: S3Request): Promise<HttpAnswer> {
    return (await this.#carryOut(request, async answer => answer)).value
  }

  /** Address of an object that a signature in its query authorises. */
  async presign(method: string, key: string, expiresIn: number, query: QueryPairs, signal: AbortSignal | undefined) {
    const credentials = await this.#setup.credentials.get(signal)
    const { origin } = this.#setup
    const path = this.#pathOf(key)
    const request = { method, path, query, headers: { host: origin.host }, expiresIn }
    return `${origin.origin}${path}?${presignQuery(request, credentials, this.#scope())}`
  }

  /** Place of a request, for errors. */
  placeOf({ method, key }: Pick<S3Request, 'method' | 'key'>) {
    const { origin, bucket, region } = this.#setup
    return { method, url: `${origin.origin}${this.#pathOf(key)}`, bucket, region }
  }

  /** Builds the error for an answer that violates the protocol. */
  protocolError(request: Pick<S3Request, 'method' | 'key'>, cause: unknown): BucketError {
    const message = `unexpected answer of object storage: ${(cause as Error).message}`
    return new BucketError('ERR_BUCKET_PROTOCOL', message, this.placeOf(request), { cause })
  }

  async #carryOut<T>(request: S3Request, use: (answer: HttpAnswer) => Promise<T>) {
    const budget = new RequestBudget(this.#setup.retry)
    const { signal } = request
    for (let corrections = 0, repeated = false; ; ) {
      const credentials = await this.#setup.credentials.get(signal)
      try {
        const answer = await this.#setup.client.exchange(this.#signed(request, credentials))
        if (isWanted(answer, request)) return { value: await use(answer), repeated }
        const read = await readAnswer(answer)
        const fault = wireFaultOf(read)
        if (corrections++ < MOST_CORRECTIONS && this.#correct(fault, read, credentials)) continue
        throw bucketErrorOf(read, fault, this.placeOf(request))
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        const failure = exchangeError(error, this.placeOf(request))
        const pause = budget.pauseAfter(failure)
        if (pause === undefined) throw failure
        repeated = true
        if (!isRefusal(failure)) request.onRepeat?.()
        await sleep(pause, signal)
      }
    }
  }

  /** Learns from a refusal. Returns whether the request should be signed anew. */
  #correct({ code }: WireFault, read: ReadAnswer, credentials: BucketCredentials): boolean {
    if (code === 'RequestTimeTooSkewed' && read.headers.date !== undefined) {
      this.#skew = serverTimeOf(read) - Date.now()
      return true
    }
    return ENDED_KEYS.includes(code) && this.#setup.credentials.forget(credentials)
  }

  #signed(request: S3Request, credentials: BucketCredentials): HttpRequest {
    const { method, key, query = [], body, signal, answerMs } = request
    const path = this.#pathOf(key)
    const payloadHash = body ? (body.sha256 ?? UNSIGNED) : EMPTY_HASH
    const headers = { host: this.#setup.origin.host, ...request.headers }
    const signed = signHeaders({ method, path, query, headers, payloadHash }, credentials, this.#scope())
    const text = encodeQuery(query)
    return { method, path: text === '' ? path : `${path}?${text}`, headers: signed, body, signal, answerMs }
  }

  #pathOf(key: string | undefined): string {
    const { basePath } = this.#setup
    return key === undefined ? `${basePath}/` : `${basePath}/${encodePath(key)}`
  }

  #scope() {
    return { time: Date.now() + this.#skew, region: this.#setup.region }
  }
}

/** Whether the service has answered that it does not carry the request out now. */
function isRefusal(error: unknown): boolean {
  return error instanceof BucketError && REFUSALS.includes(error.status!)
}

function isWanted({ status }: HttpAnswer, { accept = [] }: S3Request): boolean {
  return (status >= 200 && status < 300) || accept.includes(status)
}

/** SPEC: CompleteMultipartUpload and CopyObject may answer 200 with a document `Error`. */
function isLateFault({ status, text }: ReadAnswer): boolean {
  if (status !== 200 || !text.includes('<Error')) return false
  try {
    return readXml(text).name === 'Error'
  } catch {
    return false
  }
}
