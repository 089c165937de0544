import type { LRUCache } from 'lru-cache'
import { SingleFlight } from '../../internal/concurrency/single-flight.ts'
import type { UrlPolicy } from '../addresses/url-policy.ts'
import type { Credential } from '../credentials/credential.ts'
import type { TlsSettings, Transport } from '../transport/transport.ts'
import { basicHeader } from './basic-header.ts'
import { type Challenge, parseChallenges } from './parse-challenges.ts'
import { requestToken } from './request-token.ts'

/** Scope sets remembered per registry; one pull needs one, one push two. */
const KEPT_HEADERS = 256
/** Basic credentials are asked for again after this time: helpers give out ones that expire. */
const BASIC_TTL_MS = 10 * 60_000
/** A token that ends sooner is renewed before a body is sent, which would have to be sent again if it were refused. */
const BODY_MARGIN_MS = 30_000

/** What an authorizer needs of the registry it works for. */
export interface AuthorizerContext {
  readonly base: URL
  readonly transport: Transport
  readonly policy: UrlPolicy
  readonly tls: TlsSettings | undefined
  /**
   * Looks the credentials up; called only after the registry has asked for some. A file may hold some for a single
   * repository.
   */
  credential(repository: string | undefined, signal: AbortSignal): Promise<Credential | undefined>
}

interface Header {
  readonly value: string
  readonly ttlMs: number
}

/**
 * Makes the `Authorization` headers for one registry. Remembers what the registry demands, so that only the first request
 * is refused, and tokens per set of scopes. Concurrent requests share one exchange with the token service.
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
   * The header to send without having been asked; `undefined` as long as nothing is known about the registry.
   *
   * @param forBody - The request has a body, so the token should not end soon.
   */
  async header(
    scopes: readonly string[],
    forBody: boolean,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    if (!this.#challenge) return undefined
    const key = keyOf(this.#challenge, scopes)
    const known = this.#headers?.get(key)
    // One that was short-lived from the start is not called nearly over before half of its life.
    const endsSoon = known && this.#headers!.getRemainingTTL(key) < Math.min(BODY_MARGIN_MS, known.ttlMs / 2)
    if (known && !(forBody && endsSoon)) return known.value
    return this.#obtain(this.#challenge, scopes, signal)
  }

  /**
   * The header that answers a refusal (status 401); `undefined` if there is nothing better to send than `sent`.
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

  // PERF: loading lru-cache takes 3 ms, which a registry without authentication does not cost.
  async #loadCache(): Promise<LRUCache<string, Header>> {
    const { LRUCache } = await import('lru-cache')
    this.#headers ??= new LRUCache<string, Header>({ max: KEPT_HEADERS })
    return this.#headers
  }
}

/** The scopes that the refusal of a token asks for, if the token was too narrow. */
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

/** The repository that a request is about: its own scope comes first. */
function repositoryOf([scope = '']: readonly string[]): string | undefined {
  return /^repository:([^:]+):/.exec(scope)?.[1]
}
