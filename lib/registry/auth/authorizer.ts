import type { LRUCache } from 'lru-cache'
import type { UrlPolicy } from '../addresses/url-policy.ts'
import type { Credential } from '../credentials/credential.ts'
import type { Transport } from '../transport/transport.ts'
import { basicHeader } from './basic-header.ts'
import { type Challenge, parseChallenges } from './parse-challenges.ts'
import { requestToken } from './request-token.ts'
import { SharedWork } from './shared-work.ts'

/** Scope sets remembered per registry; one pull needs one, one push two. */
const KEPT_HEADERS = 256
/** Basic credentials are asked for again after this time: helpers give out ones that expire. */
const BASIC_TTL_MS = 10 * 60_000

/** What an authorizer needs of the registry it works for. */
export interface AuthorizerContext {
  readonly base: URL
  readonly transport: Transport
  readonly policy: UrlPolicy
  readonly insecure: boolean
  /** Looks the credentials up; called only after the registry has asked for some. */
  credential(signal: AbortSignal): Promise<Credential | undefined>
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
  readonly #flights = new SharedWork<string | undefined>()
  #headers: LRUCache<string, string> | undefined
  #challenge: Challenge | undefined

  constructor(context: AuthorizerContext) {
    this.#context = context
  }

  /** The header to send without having been asked; `undefined` as long as nothing is known about the registry. */
  async header(scopes: readonly string[], signal: AbortSignal | undefined): Promise<string | undefined> {
    if (!this.#challenge) return undefined
    return this.#headers?.get(keyOf(this.#challenge, scopes)) ?? (await this.#obtain(this.#challenge, scopes, signal))
  }

  /**
   * The header that answers a refusal (status 401); `undefined` if there is nothing better to send than `sent`.
   *
   * @throws `RegistryError` `ERR_UNAUTHORIZED`, `ERR_BLOCKED_URL`, `ERR_CREDENTIALS`.
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
    const known = this.#headers?.get(key)
    if (known !== undefined && known !== sent) return known
    this.#headers?.delete(key)
    const header = await this.#obtain(challenge, scopes, signal)
    return header === sent ? undefined : header
  }

  #obtain(challenge: Challenge, scopes: readonly string[], signal: AbortSignal | undefined) {
    const key = keyOf(challenge, scopes)
    return this.#flights.join(key, stop => this.#make(key, challenge, scopes, stop), signal)
  }

  async #make(key: string, challenge: Challenge, scopes: readonly string[], stop: AbortSignal) {
    const [cache, credential] = await Promise.all([this.#loadCache(), this.#context.credential(stop)])
    const header = await this.#headerFor(challenge, scopes, credential, stop)
    if (header) cache.set(key, header.value, { ttl: header.ttlMs })
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
    const { base, transport, policy, insecure } = this.#context
    const realm = policy.follow(challenge.parameters.get('realm')!, base, 'token service')
    const request = { realm, service: challenge.parameters.get('service'), scopes, credential }
    const trusted = insecure && realm.origin === base.origin
    const { token, ttlMs } = await requestToken(transport, policy, { ...request, insecure: trusted }, stop)
    return { value: `Bearer ${token}`, ttlMs }
  }

  // PERF: loading lru-cache takes 3 ms, which a registry without authentication does not cost.
  async #loadCache(): Promise<LRUCache<string, string>> {
    const { LRUCache } = await import('lru-cache')
    this.#headers ??= new LRUCache<string, string>({ max: KEPT_HEADERS })
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
  if (challenge.scheme === 'basic') return 'basic'
  return JSON.stringify([challenge.parameters.get('realm'), challenge.parameters.get('service'), [...scopes].sort()])
}
