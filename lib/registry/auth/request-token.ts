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
/** A token is given up a little before it ends, since a request takes time. */
const SKEW_SECONDS = 10

/** What to ask a token service for. */
export interface TokenRequest {
  /** Where it is, already allowed by the policy. */
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: readonly string[]
  readonly credential: Credential | undefined
  readonly tls: TlsSettings | undefined
}

/** A token, and how long to use it. */
export interface Token {
  readonly token: string
  readonly ttlMs: number
}

/** SPEC: services without one of the two ways answer it in one of these. */
const UNKNOWN_WAY = [400, 404, 405]

/**
 * Gets a bearer token. With an identity token by POST, then, where the service knows no POST, by GET with the token as
 * password. With a password by GET, then, where the service knows no GET, by POST. Without both by GET.
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
  // Some services say 401 where they mean that they know no POST; the GET then decides.
  if (grant?.grant_type === 'refresh_token') return tokenBy(post, [...UNKNOWN_WAY, 401], get)
  return tokenBy(get, grant ? UNKNOWN_WAY : [], post)
}

interface Way {
  readonly method: string
  ask(): Promise<WireAnswer>
}

/** By the first way, or, where the answer says that the service does not know it, by the second. */
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
  // SAFETY: not through redirects, which would carry the secret in the body to another host.
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
  // Harbor sends both, one of them empty (bazel-contrib/rules_oci#801). Skopeo, containerd and crane read it like this.
  const token = ['token', 'access_token']
    .map(key => own(body, key))
    .find(value => value !== undefined && value !== null && value !== '')
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
