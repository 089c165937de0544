import { FormatError, RegistryError, type RegistryErrorCode } from '../../errors/index.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { isRepositoryPath, type Repository } from '../../oci/index.ts'
import type { HostLookup } from '../addresses/address-scope.ts'
import { isSameRegistry } from '../addresses/base-url.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { createUrlPolicy, type UrlPolicy } from '../addresses/url-policy.ts'
import { answerError } from '../answers/answer-error.ts'
import { parseRateLimit, type RateLimit } from '../answers/rate-limit.ts'
import { parseWarnings } from '../answers/warnings.ts'
import { cleanText } from '../answers/wire-errors.ts'
import { Authorizer, demandedScopes } from '../auth/authorizer.ts'
import type { Credential } from '../credentials/credential.ts'
import { UnusableCredentials } from '../credentials/unusable-credentials.ts'
import { drainAnswer } from '../transport/drain-answer.ts'
import { followRedirects } from '../transport/follow-redirects.ts'
import type { RequestBody, TlsSettings, Transport, WireAnswer } from '../transport/transport.ts'
import { type RequestKind, RequestLimits } from './request-limits.ts'
import { RetryBudget, type RetryOptions } from './retry-budget.ts'

/** One registry as the acts of this room talk to it. */
export interface EndpointSettings {
  /** Name of the registry in references. */
  readonly registry: string
  readonly base: URL
  readonly transport: Transport
  readonly allowedHosts?: readonly string[] | undefined
  /** For connections to the registry itself, nobody else. */
  readonly tls: TlsSettings | undefined
  readonly lookup?: HostLookup | undefined
  /** Name of the registry that this one mirrors, to be told to it with every request. */
  readonly origin?: string | undefined
  readonly concurrency: number
  readonly retries: RetryOptions
  credential(repository: string | undefined, signal: AbortSignal): Promise<Credential | undefined>
  onWarning(message: string): void
  onWait(wait: { readonly delayMs: number; readonly error: RegistryError }): void
  onRateLimit(limit: RateLimit): void
}

/** A request to a registry, before credentials. */
export interface RegistryRequest {
  readonly method: string
  readonly url: URL
  /** What the request is allowed to need, e.g. `repository:library/node:pull`. */
  readonly scopes: readonly string[]
  /** Statuses that are an answer, or what tells an answer; everything else is an error. */
  readonly expect: readonly number[] | ((answer: WireAnswer) => boolean)
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly signal?: AbortSignal | undefined
  /** The code of the error for status 404. */
  readonly notFound?: RegistryErrorCode
  /** Counts failures together with the caller's own. @defaultValue a budget of its own */
  readonly budget?: RetryBudget
  /** Let the caller repeat what fails. @defaultValue `false` */
  readonly once?: boolean
  /** Never send credentials, not even to the registry itself. @defaultValue `false` */
  readonly anonymous?: boolean
  /** A chunk of the answer is the reader's until it asks for the next, or leaves. @defaultValue `false` */
  readonly borrow?: boolean | undefined
}

/** What the answers of a registry have taught of its ways. */
export interface Learned {
  maxBodyBytes: number
  refusesMount: boolean
  /** How bodies arrive where only one way works. */
  bodyWay: 'PUT' | 'PATCH' | undefined
}

/** Sends requests to one registry: under their limit, authorised, redirected, and retried where a retry may help. */
export class RegistryEndpoint {
  readonly base: URL
  readonly policy: UrlPolicy
  /** What the registry's refusals have taught. */
  readonly learned: Learned = { maxBodyBytes: Number.POSITIVE_INFINITY, refusesMount: false, bodyWay: undefined }
  readonly #settings: EndpointSettings
  readonly #limits: RequestLimits
  readonly #authorizer: Authorizer
  readonly #warned = new Set<string>()
  /** No request before this time (`performance.now`): the registry asked everyone to wait. */
  #notBefore = 0
  /** What the registry last said of how many requests it allows. */
  #remaining: number | undefined

  constructor(settings: EndpointSettings) {
    const { base, transport, tls } = settings
    this.base = base
    this.policy = createUrlPolicy(base, settings.allowedHosts, settings.lookup)
    this.#settings = settings
    this.#limits = new RequestLimits(settings.concurrency)
    const { policy } = this
    this.#authorizer = new Authorizer({ base, transport, policy, tls, credential: settings.credential })
  }

  /** The address below a repository, e.g. of `manifests/latest`. */
  url(repository: Repository, path: string): URL {
    // SAFETY: a name with `..`, `?` or `%` would address something else.
    if (!isRepositoryPath(repository.repository)) {
      throw new FormatError(
        'ERR_INVALID_REFERENCE',
        `not a repository: ${JSON.stringify(repository.repository.slice(0, 160))}`,
      )
    }
    return this.address(`${repository.repository}/${path}`)
  }

  /** An address of the registry itself, e.g. of `_catalog`. */
  address(path: string): URL {
    const url = new URL(`/v2/${path}`, this.base)
    const { origin } = this.#settings
    if (origin !== undefined) url.searchParams.set('ns', origin)
    return url
  }

  /** Does a piece of work under the limit of its kind. Every request needs a permit, and no act acquires a second one. */
  async within<T>(kind: RequestKind, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const release = await this.acquire(kind, signal)
    try {
      return await work()
    } finally {
      release()
    }
  }

  /** Waits for a permit of that kind and resolves to the function that releases it. */
  acquire(kind: RequestKind, signal: AbortSignal | undefined): Promise<() => void> {
    return this.#limits.acquire(kind, signal)
  }

  /**
   * Proves that a mirror answers for the registry it was asked about, where it says so.
   *
   * SPEC: a proxy that heeds `ns` should return it in `OCI-Namespace` (distribution-spec, registry proxying).
   *
   * @throws `RegistryError` `ERR_PROTOCOL`.
   */
  checkNamespace(answer: WireAnswer, method: string): void {
    const { origin } = this.#settings
    const told = answer.headers['oci-namespace']
    if (origin === undefined || told === undefined || isSameRegistry(String(told), origin)) return
    const details = { method, url: shownUrl(answer.url), status: answer.status }
    const shown = cleanText(String(told))
    throw new RegistryError('ERR_PROTOCOL', `mirror was asked for ${origin}, and answers for ${shown}`, details)
  }

  budget(): RetryBudget {
    return new RetryBudget(this.#settings.retries)
  }

  /**
   * Sends a request and gives an answer with one of the expected statuses, whose body the caller reads or cancels.
   *
   * @throws `RegistryError`; the signal's reason; `SourceFailure`.
   */
  async send(request: RegistryRequest): Promise<WireAnswer> {
    const budget = request.budget ?? this.budget()
    for (;;) {
      try {
        return await this.#sendOnce(request)
      } catch (error) {
        if (request.once) throw error
        await this.waitAfter(error, budget, request.signal)
      }
    }
  }

  /** Waits as long as the failure demands before another try, or throws it. */
  async waitAfter(error: unknown, budget: RetryBudget, signal: AbortSignal | undefined): Promise<void> {
    const delayMs = budget.pauseAfter(error)
    if (delayMs === undefined) throw error
    const failure = error as RegistryError
    // One request that is told to slow down slows down all of them, or they would be refused one by one.
    if (failure.retryAfterMs !== undefined || failure.code === 'ERR_RATE_LIMITED') {
      this.#notBefore = Math.max(this.#notBefore, performance.now() + delayMs)
    }
    this.#settings.onWait({ delayMs, error: failure })
    await sleep(delayMs, signal)
  }

  async #sendOnce(request: RegistryRequest): Promise<WireAnswer> {
    while (this.#notBefore > performance.now()) {
      await sleep(Math.max(1, this.#notBefore - performance.now()), request.signal)
    }
    const answer = await this.#sendAuthorized(request).catch((error: unknown) => {
      throw error instanceof UnusableCredentials ? credentialsError(request, error) : error
    })
    this.#warn(answer)
    this.#noteRateLimit(answer)
    const { expect } = request
    if (typeof expect === 'function' ? expect(answer) : expect.includes(answer.status)) return answer
    throw await answerError(answer, request.method, request.notFound)
  }

  /** Makes at most one header for one refusal, and one more if the token was too narrow. */
  async #sendAuthorized(request: RegistryRequest): Promise<WireAnswer> {
    const isOwn = request.url.origin === this.base.origin && !request.anonymous
    const forBody = (request.body?.size ?? 0) > 0
    let { scopes } = request
    let header = isOwn ? await this.#authorizer.header(scopes, forBody, request.signal) : undefined
    for (let refusals = 0; ; refusals++) {
      const answer = await this.#exchange(request, header)
      // SAFETY: only the registry itself may ask for credentials, not a host that it redirected to.
      const mayAsk = answer.url.origin === this.base.origin && !request.anonymous
      if (answer.status !== 401 || !mayAsk) return answer
      const refusal = answer.headers['www-authenticate'] ?? (await this.#askForChallenge(request, header))
      const missing = demandedScopes(refusal).filter(scope => !scopes.includes(scope))
      if (refusals > 1 || (refusals === 1 && missing.length === 0)) return answer
      scopes = [...scopes, ...missing]
      const better = await this.#authorizer.answer(refusal, scopes, header, request.signal)
      if (better === undefined) return answer
      await drainAnswer(answer)
      header = better
    }
  }

  /**
   * The challenge of the registry's base address, for a refusal that has none: docker asks there first, so some registries
   * send it nowhere else.
   */
  async #askForChallenge({ url, signal }: RegistryRequest, header: string | undefined): Promise<string | undefined> {
    const base = this.address('')
    if (header !== undefined || url.pathname === base.pathname) return undefined
    const probe = { method: 'GET', url: base, scopes: [], expect: [], signal }
    const answer = await this.#exchange(probe, undefined)
    await drainAnswer(answer)
    const isChallenge = answer.status === 401 && answer.url.origin === this.base.origin
    return isChallenge ? answer.headers['www-authenticate'] : undefined
  }

  #exchange(request: RegistryRequest, authorization: string | undefined): Promise<WireAnswer> {
    const { method, url, headers, body, signal, borrow } = request
    const tls = url.origin === this.base.origin ? this.#settings.tls : undefined
    const { origin } = this.#settings
    // Beside `ns` in the address, for mirrors that read it here (spegel-org/spegel#1387).
    const namespace = origin !== undefined && url.origin === this.base.origin ? { 'oci-namespace': origin } : {}
    const all = { ...headers, ...namespace, ...(authorization === undefined ? {} : { authorization }) }
    const sent = { method, url, headers: all, body, signal, tls, borrow }
    return followRedirects(this.#settings.transport, sent, this.policy)
  }

  #noteRateLimit(answer: WireAnswer): void {
    const limit = answer.url.origin === this.base.origin ? parseRateLimit(answer.headers) : undefined
    if (!limit || limit.remaining === this.#remaining) return
    this.#remaining = limit.remaining
    this.#settings.onRateLimit(limit)
  }

  #warn(answer: WireAnswer): void {
    const header = answer.headers.warning
    for (const message of parseWarnings(Array.isArray(header) ? header.join(',') : header)) {
      // SAFETY: what a registry may make us remember is bounded.
      if (this.#warned.has(message) || this.#warned.size >= 100) continue
      this.#warned.add(message)
      this.#settings.onWarning(message)
    }
  }
}

function credentialsError({ method, url }: RegistryRequest, cause: UnusableCredentials): RegistryError {
  return new RegistryError('ERR_CREDENTIALS', cause.message, { method, url: shownUrl(url) }, { cause })
}
