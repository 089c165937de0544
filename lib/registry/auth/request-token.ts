import { RegistryError } from '../../errors/index.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import type { UrlPolicy } from '../addresses/url-policy.ts'
import { answerError } from '../answers/answer-error.ts'
import { readAnswerDocument } from '../answers/content-coding.ts'
import { SUCCESS } from '../answers/success.ts'
import type { Credential } from '../credentials/credential.ts'
import { drainAnswer } from '../transport/drain-answer.ts'
import { followRedirects } from '../transport/follow-redirects.ts'
import type { TlsSettings, Transport, WireAnswer } from '../transport/transport.ts'
import { basicHeader } from './basic-header.ts'

const TOKEN_BODY_BYTES = 1024 * 1024
const MIN_SECONDS = 60
const MAX_SECONDS = 24 * 60 * 60
/** A token expires here this much earlier, since a request takes time. */
const SKEW_SECONDS = 10

/** Request to a token service. */
export interface TokenRequest {
  /** URL of the service, already checked by the URL policy. */
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: readonly string[]
  readonly credential: Credential | undefined
  readonly tls: TlsSettings | undefined
}

/** A token with its remaining lifetime. */
export interface Token {
  readonly token: string
  readonly ttlMs: number
}

/** SPEC: a service that lacks POST or GET answers it with one of these statuses. */
const UNKNOWN_WAY = [400, 404, 405]

/**
 * Requests a bearer token. The first method depends on the credentials; the second is used if the service lacks the
 * first.
 *
 * | credentials | first | second |
 * |---|---|---|
 * | identity token | POST | GET with the token as password |
 * | user and password | GET | POST |
 * | none | GET | |
 *
 * @throws `RegistryError`: `ERR_UNAUTHORIZED` if the service refuses, `ERR_PROTOCOL` if its answer holds no token.
 * @see {@link https://distribution.github.io/distribution/spec/auth/token/ | token authentication}
 * @see {@link https://distribution.github.io/distribution/spec/auth/oauth/ | OAuth2 token authentication}
 */
export async function requestToken(
  transport: Transport,
  policy: UrlPolicy,
  request: TokenRequest,
  signal: AbortSignal | undefined,
): Promise<Token> {
  const grant = grantOf(request.credential)
  const post = { method: 'POST', ask: () => postForToken(transport, policy, request, grant!, signal) }
  const get = { method: 'GET', ask: () => getToken(transport, policy, request, signal) }
  // Some services answer 401 to a POST that they lack; the GET then decides.
  if (grant?.grant_type === 'refresh_token') return tokenBy(post, [...UNKNOWN_WAY, 401], get)
  return tokenBy(get, grant ? UNKNOWN_WAY : [], post)
}

interface Way {
  readonly method: string
  ask(): Promise<WireAnswer>
}

/** Uses the first method; if the status says that the service lacks it, the second. */
async function tokenBy(first: Way, unknown: readonly number[], second: Way): Promise<Token> {
  const answer = await first.ask()
  if (!unknown.includes(answer.status)) return readToken(answer, first.method)
  await drainAnswer(answer)
  return readToken(await second.ask(), second.method)
}

function grantOf(credential: Credential | undefined): ({ grant_type: string } & Record<string, string>) | undefined {
  const { username, password, identityToken } = credential ?? {}
  if (identityToken !== undefined) return { grant_type: 'refresh_token', refresh_token: identityToken }
  if (username === undefined || password === undefined) return undefined
  return { grant_type: 'password', username, password }
}

async function postForToken(
  transport: Transport,
  policy: UrlPolicy,
  request: TokenRequest,
  grant: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<WireAnswer> {
  const form = new URLSearchParams({ ...grant, client_id: 'layerstore', scope: request.scopes.join(' ') })
  if (request.service !== undefined) form.set('service', request.service)
  const bytes = Buffer.from(form.toString())
  // SAFETY: a redirect could carry the secret in the body to another host, so none is followed.
  return transport.exchange({
    method: 'POST',
    url: request.realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: { size: bytes.byteLength, open: () => [bytes] },
    tls: request.tls,
    reach: await policy.reachOf(request.realm),
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
  return followRedirects(transport, { method: 'GET', url, headers, signal, tls: request.tls }, policy)
}

async function readToken(answer: WireAnswer, method: string): Promise<Token> {
  if (!SUCCESS.includes(answer.status)) throw await answerError(answer, method)
  const bytes = await readAnswerDocument(answer, TOKEN_BODY_BYTES, 'token answer')
  const body = parseObject(bytes)
  // Harbor sends both members, one of them empty (bazel-contrib/rules_oci#801). Skopeo, containerd and crane also
  // accept either.
  const token = ['token', 'access_token']
    .map(key => own(body, key))
    .find(value => value !== undefined && value !== null && value !== '')
  // SAFETY: a token with a line break could add headers to later requests. Only visible ASCII characters are accepted.
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
    // SAFETY: the parse error quotes the answer, which may contain a token, so it is dropped.
    return {}
  }
}

function lifetimeMs(body: object): number {
  const told = Number(own(body, 'expires_in'))
  const seconds = Number.isFinite(told) ? Math.min(Math.max(told, MIN_SECONDS), MAX_SECONDS) : MIN_SECONDS
  const issued = Date.parse(String(own(body, 'issued_at')))
  const age = Number.isNaN(issued) ? 0 : Math.max(0, (Date.now() - issued) / 1000)
  // If the clocks differ by more than the lifetime, every token would look expired; the lifetime then counts from now.
  const rest = age < seconds ? seconds - age : seconds
  return Math.max(rest - SKEW_SECONDS, 1) * 1000
}

function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
}
