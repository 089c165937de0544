import type { LRUCache } from 'lru-cache'
import { SingleFlight } from '../../internal/concurrency/single-flight.ts'
import type { UrlPolicy } from '../addresses/url-policy.ts'
import type { Credential } from '../credentials/credential.ts'
import type { TlsSettings, Transport } from '../transport/transport.ts'
import { basicHeader } from './basic-header.ts'
import { type Challenge, parseChallenges } from './parse-challenges.ts'
import { requestToken } from './request-token.ts'

/** Number of scope sets remembered per registry; a pull needs one, a push two. */
const KEPT_HEADERS = 256
/** Lifetime of basic credentials, after which they are looked up again: helpers may return expiring ones. */
const BASIC_TTL_MS = 10 * 60_000
/**
 * A token that expires sooner is renewed before a body is sent; after a refusal the body would have to be sent again.
 */
const BODY_MARGIN_MS = 30_000

/** Settings of an authorizer. */
export interface AuthorizerContext {
  readonly base: URL
  readonly transport: Transport
  readonly policy: UrlPolicy
  readonly tls: TlsSettings | undefined
  /**
   * Looks the credentials up. Called only after the registry has asked for some. A credential file may have an entry
   * for a single repository.
   */
  credential(repository: string | undefined, signal: AbortSignal): Promise<Credential | undefined>
}

interface Header {
  readonly value: string
  readonly ttlMs: number
}

/**
 * Creates the `Authorization` headers for one registry. Remembers the registry's challenge, so that only the first
 * request is refused, and caches one token per set of scopes. Concurrent requests share one request to the token
 * service (single-flight).
 */
export class Authorizer {
  readonly #context: AuthorizerContext
  readonly #flights = new SingleFlight<string | undefined>()
  #headers: LRUCache<string, Header> | undefined
  #challenge: Challenge | undefined

  constructor(context: AuthorizerContext) {
    this.#context = context
  }

  /**
   * Returns the header for a request in advance; `undefined` until the registry has sent a challenge.
   *
   * @param forBody - True if the request has a body, so that the token must not expire soon.
   */
  async header(
    scopes: readonly string[],
    forBody: boolean,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    if (!this.#challenge) return undefined
    const key = keyOf(this.#challenge, scopes)
    const known = this.#headers?.get(key)
    // A token with a short lifetime is not renewed before half of it has passed.
    const endsSoon = known && this.#headers!.getRemainingTTL(key) < Math.min(BODY_MARGIN_MS, known.ttlMs / 2)
    if (known && !(forBody && endsSoon)) return known.value
    return this.#obtain(this.#challenge, scopes, signal)
  }

  /**
   * Returns the header for a retry after a refusal (status 401); `undefined` if no other header than `sent` is
   * available.
   *
   * @throws `RegistryError` `ERR_UNAUTHORIZED`, `ERR_BLOCKED_URL`; `UnusableCredentials`.
   */
  async answer(
    refusal: string | undefined,
    scopes: readonly string[],
    sent: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const challenge = chooseChallenge(refusal)
    if (!challenge) return undefined
    this.#challenge = challenge
    const key = keyOf(challenge, scopes)
    const known = this.#headers?.get(key)?.value
    if (known !== undefined && known !== sent) return known
    this.#headers?.delete(key)
    const header = await this.#obtain(challenge, scopes, signal)
    return header === sent ? undefined : header
  }

  #obtain(challenge: Challenge, scopes: readonly string[], signal: AbortSignal | undefined) {
    const key = keyOf(challenge, scopes)
    return this.#flights.run(key, stop => this.#make(key, challenge, scopes, stop), signal)
  }

  async #make(key: string, challenge: Challenge, scopes: readonly string[], stop: AbortSignal) {
    const [cache, credential] = await Promise.all([
      this.#loadCache(),
      this.#context.credential(repositoryOf(scopes), stop),
    ])
    const header = await this.#headerFor(challenge, scopes, credential, stop)
    if (header) cache.set(key, header, { ttl: header.ttlMs })
    return header?.value
  }

  async #headerFor(
    challenge: Challenge,
    scopes: readonly string[],
    credential: Credential | undefined,
    stop: AbortSignal,
  ): Promise<Header | undefined> {
    if (credential?.registryToken !== undefined) {
      return { value: `Bearer ${credential.registryToken}`, ttlMs: BASIC_TTL_MS }
    }
    if (challenge.scheme === 'basic') {
      const value = basicHeader(credential)
      return value === undefined ? undefined : { value, ttlMs: BASIC_TTL_MS }
    }
    const { base, transport, policy, tls } = this.#context
    const realm = policy.follow(challenge.parameters.get('realm')!, { method: 'GET', url: base }, 'token service')
    const request = { realm, service: challenge.parameters.get('service'), scopes, credential }
    const own = realm.origin === base.origin ? tls : undefined
    const { token, ttlMs } = await requestToken(transport, policy, { ...request, tls: own }, stop)
    return { value: `Bearer ${token}`, ttlMs }
  }

  // PERF: loading lru-cache takes 3 ms; a registry without authentication does not load it.
  async #loadCache(): Promise<LRUCache<string, Header>> {
    const { LRUCache } = await import('lru-cache')
    this.#headers ??= new LRUCache<string, Header>({ max: KEPT_HEADERS })
    return this.#headers
  }
}

/** Returns the scopes that a refusal demands because the token was too narrow. */
export function demandedScopes(refusal: string | undefined): readonly string[] {
  const bearer = parseChallenges(refusal).find(({ scheme }) => scheme === 'bearer')
  if (bearer?.parameters.get('error') !== 'insufficient_scope') return []
  return (bearer.parameters.get('scope') ?? '').split(' ').filter(scope => scope !== '')
}

function chooseChallenge(refusal: string | undefined): Challenge | undefined {
  const challenges = parseChallenges(refusal)
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.get('realm'))
  return bearer ?? challenges.find(({ scheme }) => scheme === 'basic')
}

function keyOf(challenge: Challenge, scopes: readonly string[]): string {
  if (challenge.scheme === 'basic') return `basic ${repositoryOf(scopes)}`
  return JSON.stringify([challenge.parameters.get('realm'), challenge.parameters.get('service'), [...scopes].sort()])
}

/** Returns the repository of a request, which the first scope names. */
function repositoryOf([scope = '']: readonly string[]): string | undefined {
  return /^repository:([^:]+):/.exec(scope)?.[1]
}
