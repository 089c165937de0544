import { RegistryError } from '../../errors/index.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import type { UrlPolicy } from '../addresses/url-policy.ts'
import { answerError } from '../answers/answer-error.ts'
import { drainAnswer } from '../answers/drain-answer.ts'
import type { Credential } from '../credentials/credential.ts'
import { followRedirects } from '../transport/follow-redirects.ts'
import type { Transport, WireAnswer } from '../transport/transport.ts'
import { basicHeader } from './basic-header.ts'

const TOKEN_BODY_BYTES = 1024 * 1024
const MIN_SECONDS = 60
const MAX_SECONDS = 24 * 60 * 60
/** A token is given up a little before it ends, since a request takes time. */
const SKEW_SECONDS = 10

/** What to ask a token service for. */
export interface TokenRequest {
  /** Where it is, already allowed by the policy. */
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: readonly string[]
  readonly credential: Credential | undefined
  readonly insecure: boolean
}

/** A token, and how long to use it. */
export interface Token {
  readonly token: string
  readonly ttlMs: number
}

/**
 * Gets a bearer token: with an identity token by POST, otherwise, and where the service knows no POST, by GET.
 *
 * @throws `RegistryError`: `ERR_UNAUTHORIZED` if the service refuses, `ERR_PROTOCOL` if its answer holds no token.
 * @see {@link https://distribution.github.io/distribution/spec/auth/token/ | token authentication}
 */
export async function requestToken(
  transport: Transport,
  policy: UrlPolicy,
  request: TokenRequest,
  signal: AbortSignal | undefined,
): Promise<Token> {
  if (request.credential?.identityToken !== undefined) {
    const answer = await postForToken(transport, request, request.credential.identityToken, signal)
    if (answer.status === 200) return readToken(answer, 'POST')
    // SPEC: services without OAuth2 answer in one of these ways; they take the token as a password.
    if (![400, 401, 404, 405].includes(answer.status)) throw await answerError(answer, 'POST')
    await drainAnswer(answer)
  }
  const answer = await getToken(transport, policy, request, signal)
  if (answer.status !== 200) throw await answerError(answer, 'GET')
  return readToken(answer, 'GET')
}

function postForToken(
  transport: Transport,
  request: TokenRequest,
  identityToken: string,
  signal: AbortSignal | undefined,
): Promise<WireAnswer> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'layerstore',
    refresh_token: identityToken,
    scope: request.scopes.join(' '),
  })
  if (request.service !== undefined) form.set('service', request.service)
  const bytes = Buffer.from(form.toString())
  // SAFETY: not through redirects, which would carry the identity token in the body to another host.
  return transport.exchange({
    method: 'POST',
    url: request.realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: { size: bytes.byteLength, open: () => [bytes] },
    insecure: request.insecure,
    signal,
  })
}

function getToken(
  transport: Transport,
  policy: UrlPolicy,
  request: TokenRequest,
  signal: AbortSignal | undefined,
): Promise<WireAnswer> {
  const url = new URL(request.realm)
  if (request.service !== undefined) url.searchParams.set('service', request.service)
  for (const scope of request.scopes) url.searchParams.append('scope', scope)
  const authorization = basicHeader(request.credential)
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
  return followRedirects(transport, { method: 'GET', url, headers, signal, insecure: request.insecure }, policy)
}

async function readToken(answer: WireAnswer, method: string): Promise<Token> {
  const bytes = await collectBytes(answer.body, TOKEN_BODY_BYTES, 'token answer')
  const body = parseObject(bytes)
  const token = own(body, 'token') ?? own(body, 'access_token')
  // SAFETY: the token becomes a header; only what cannot break out of one may pass.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    const details = { method, url: shownUrl(answer.url), status: answer.status }
    throw new RegistryError('ERR_PROTOCOL', 'token service gave no token', details)
  }
  return { token, ttlMs: lifetimeMs(body) }
}

function parseObject(bytes: Uint8Array): object {
  try {
    const value = parseStrictJson(bytes)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    // SAFETY: the cause would quote the answer, which may hold a token.
    return {}
  }
}

function lifetimeMs(body: object): number {
  const told = Number(own(body, 'expires_in'))
  const seconds = Number.isFinite(told) ? Math.min(Math.max(told, MIN_SECONDS), MAX_SECONDS) : MIN_SECONDS
  const issued = Date.parse(String(own(body, 'issued_at')))
  const age = Number.isNaN(issued) ? 0 : Math.max(0, (Date.now() - issued) / 1000)
  // A clock that is wrong by more than the token's life would make every token look dead: then it counts from now.
  const rest = age < seconds ? seconds - age : seconds
  return Math.max(rest - SKEW_SECONDS, 1) * 1000
}

function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
}
