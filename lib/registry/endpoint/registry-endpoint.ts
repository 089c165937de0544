import type { FileLender } from '../../digest/index.ts'
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

/** Settings of one registry. */
export interface EndpointSettings {
  /** Name of the registry in references. */
  readonly registry: string
  readonly base: URL
  readonly transport: Transport
  readonly allowedHosts?: readonly string[] | undefined
  /** TLS settings for connections to the registry's own origin only. */
  readonly tls: TlsSettings | undefined
  readonly lookup?: HostLookup | undefined
  /** Name of the registry that this one mirrors; every request carries it. */
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
  /** Permissions that the request may need, e.g. `repository:library/node:pull`. */
  readonly scopes: readonly string[]
  /** Expected statuses, or a predicate for expected answers. Any other answer is an error. */
  readonly expect: readonly number[] | ((answer: WireAnswer) => boolean)
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly signal?: AbortSignal | undefined
  /** Error code for status 404. */
  readonly notFound?: RegistryErrorCode
  /** Budget that counts failures together with those of the caller. @defaultValue a new budget */
  readonly budget?: RetryBudget
  /** Do not retry; the caller does. @defaultValue `false` */
  readonly once?: boolean
  /** Never send credentials, not even to the registry itself. @defaultValue `false` */
  readonly anonymous?: boolean
  /** Let the transport reuse the memory of chunks; see {@link WireRequest}. @defaultValue `false` */
  readonly borrow?: boolean | undefined
  /** Owner of a file for the body; see {@link WireRequest}. */
  readonly lender?: FileLender | undefined
}

/** Properties of a registry that the client learned from its answers. */
export interface Learned {
  maxBodyBytes: number
  refusesMount: boolean
  /** Method that the registry requires for bodies, if it accepts only one. */
  bodyWay: 'PUT' | 'PATCH' | undefined
}

/**
 * Sends requests to one registry: acquires permits, authenticates, follows redirects and retries transient failures.
 */
export class RegistryEndpoint {
  readonly base: URL
  readonly policy: UrlPolicy
  /** Properties learned from the registry's refusals. */
  readonly learned: Learned = { maxBodyBytes: Number.POSITIVE_INFINITY, refusesMount: false, bodyWay: undefined }
  readonly #settings: EndpointSettings
  readonly #limits: RequestLimits
  readonly #authorizer: Authorizer
  readonly #warned = new Set<string>()
  /** Send no request before this time (`performance.now`): the registry has asked for a pause. */
  #notBefore = 0
  /** Remaining requests that the registry last reported. */
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

  /** Returns the URL of a path below a repository, e.g. of `manifests/latest`. */
  url(repository: Repository, path: string): URL {
    // SAFETY: a name with `..`, `?` or `%` would lead to another path of the registry.
    if (!isRepositoryPath(repository.repository)) {
      throw new FormatError(
        'ERR_INVALID_REFERENCE',
        `not a repository: ${JSON.stringify(repository.repository.slice(0, 160))}`,
      )
    }
    return this.address(`${repository.repository}/${path}`)
  }

  /** Returns the URL of a path of the registry itself, e.g. of `_catalog`. */
  address(path: string): URL {
    const url = new URL(`/v2/${path}`, this.base)
    const { origin } = this.#settings
    if (origin !== undefined) url.searchParams.set('ns', origin)
    return url
  }

  /** Runs work with a permit of its kind. Every request needs a permit, and no act acquires a second one. */
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
   * Checks that a mirror answers for the registry that it was asked about, if its answer names one.
   *
   * SPEC: a proxy that supports `ns` should return it in `OCI-Namespace` (distribution-spec, registry proxying).
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
   * Sends a request and resolves to an expected answer. The caller must read its body or cancel it.
   *
   * @throws `RegistryError`; the signal's reason; `BodySourceError`.
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

  /** Waits for the pause that a failure demands before a retry, or throws the failure. */
  async waitAfter(error: unknown, budget: RetryBudget, signal: AbortSignal | undefined): Promise<void> {
    const delayMs = budget.pauseAfter(error)
    if (delayMs === undefined) throw error
    const failure = error as RegistryError
    // A rate limit applies to all requests of the registry, so all of them pause instead of being refused one by one.
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

  /** Requests a new header once after a refusal, and once more if the token lacked a scope. */
  async #sendAuthorized(request: RegistryRequest): Promise<WireAnswer> {
    const isOwn = request.url.origin === this.base.origin && !request.anonymous
    const forBody = (request.body?.size ?? 0) > 0
    let { scopes } = request
    let header = isOwn ? await this.#authorizer.header(scopes, forBody, request.signal) : undefined
    for (let refusals = 0; ; refusals++) {
      const answer = await this.#exchange(request, header)
      // SAFETY: a host that the registry redirected to could ask for the registry's credentials; only the registry may.
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
   * Requests the challenge at the registry's base URL for a refusal without one. Docker sends its first request there,
   * so some registries send the challenge nowhere else.
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
    const { method, url, headers, body, signal, borrow, lender } = request
    const tls = url.origin === this.base.origin ? this.#settings.tls : undefined
    const { origin } = this.#settings
    // Some mirrors read the header instead of `ns` in the URL (spegel-org/spegel#1387).
    const namespace = origin !== undefined && url.origin === this.base.origin ? { 'oci-namespace': origin } : {}
    const all = { ...headers, ...namespace, ...(authorization === undefined ? {} : { authorization }) }
    const sent = { method, url, headers: all, body, signal, tls, borrow, lender }
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
      // SAFETY: a registry could send ever new warnings and fill the memory, so their number is bounded.
      if (this.#warned.has(message) || this.#warned.size >= 100) continue
      this.#warned.add(message)
      this.#settings.onWarning(message)
    }
  }
}

function credentialsError({ method, url }: RegistryRequest, cause: UnusableCredentials): RegistryError {
  return new RegistryError('ERR_CREDENTIALS', cause.message, { method, url: shownUrl(url) }, { cause })
}
