import { randomUUID, sign } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readAll } from './read-all.ts'
import { selfSignedCertificate } from './self-signed-certificate.ts'

/** Options of a token server. */
export interface TokenServerOptions {
  readonly users?: Readonly<Record<string, string>>
  /** Refresh tokens and their users. */
  readonly refreshTokens?: Readonly<Record<string, string>>
  /** Methods that the service supports; it answers any other with 405. @default both */
  readonly ways?: readonly ('GET' | 'POST')[]
  readonly lifetimeSeconds?: number
  /** True if a caller without a password gets a token for the scope. @default for pulling */
  readonly isPublic?: (scope: string) => boolean
}

/** A token request that the server received. */
export interface TokenRequestSeen {
  readonly method: string
  readonly scopes: readonly string[]
  readonly service: string | null
  readonly account: string | undefined
  readonly grant: string | undefined
}

/** A token service like Docker's. */
export interface TokenServer extends AsyncDisposable {
  readonly host: string
  readonly realm: string
  /** Certificate of the tokens' signatures, for a registry that verifies them. */
  readonly cert: string
  readonly seen: TokenRequestSeen[]
  /** The challenge for a request whose token does not grant `scope`; for a registry that uses this service. */
  challenge(authorization: string | undefined, scope: string): string | undefined
  /** Expires all tokens issued so far. */
  expire(): void
}

/** Starts a token service by distribution's pages "token authentication" and "OAuth2", with JSON web tokens, ES256. */
export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  const { users = {}, refreshTokens = {}, ways = ['GET', 'POST'], lifetimeSeconds = 300 } = options
  const isPublic = options.isPublic ?? (scope => scope.endsWith(':pull'))
  const { key, cert } = selfSignedCertificate()
  const chain = [cert.replace(/-----[^-]+-----|\s/g, '')]
  const seen: TokenRequestSeen[] = []
  const given = new Map<string, readonly string[]>()

  const issue = (account: string | undefined, service: string | null, scopes: readonly string[]) => {
    const granted = scopes.filter(scope => account !== undefined || isPublic(scope))
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: 'layerstore-test',
      sub: account ?? '',
      aud: service ?? '',
      exp: now + lifetimeSeconds,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access: granted.map(scope => {
        const [type, name, actions] = scope.split(':')
        return { type, name, actions: actions!.split(',') }
      }),
    }
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${encode({ typ: 'JWT', alg: 'ES256', x5c: chain })}.${encode(claims)}`
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    given.set(`${text}.${signature}`, granted)
    return { token: `${text}.${signature}`, now }
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://token')
    const { parameters, account, grant, denied } = await whoAsks(request, url, users, refreshTokens)
    const scopes = parameters.getAll('scope').flatMap(scope => scope.split(' '))
    const service = parameters.get('service')
    seen.push({ method: request.method!, scopes, service, account, grant })
    const reply = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (!ways.includes(request.method as 'GET')) return reply(405, { errors: [{ code: 'UNSUPPORTED' }] })
    if (denied) return reply(401, { details: 'incorrect username or password' })
    const { token, now } = issue(account, service, scopes)
    const life = { expires_in: lifetimeSeconds, issued_at: new Date(now * 1000).toISOString() }
    return reply(
      200,
      request.method === 'POST' ? { access_token: token, ...life } : { token, access_token: token, ...life },
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const realm = `http://${host}/token`
  return {
    host,
    realm,
    cert,
    seen,
    challenge(authorization, scope) {
      const scopes = given.get(authorization?.replace(/^Bearer /, '') ?? '')
      const [type, name, actions] = scope.split(':')
      const has = (action: string) =>
        scopes?.some(one => {
          const [t, n, a] = one.split(':')
          return t === type && n === name && a!.split(',').includes(action)
        })
      if (actions!.split(',').every(has)) return undefined
      const error = authorization === undefined ? '' : `,error="${scopes ? 'insufficient_scope' : 'invalid_token'}"`
      return `Bearer realm="${realm}",service="registry.test",scope="${scope}"${error}`
    },
    expire: () => given.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function whoAsks(
  request: IncomingMessage,
  url: URL,
  users: Readonly<Record<string, string>>,
  refreshTokens: Readonly<Record<string, string>>,
) {
  const known = (name: string, password: string) => (users[name] === password ? name : undefined)
  if (request.method === 'POST') {
    const form = new URLSearchParams((await readAll(request)).toString())
    const grant = form.get('grant_type') ?? undefined
    const account =
      grant === 'password'
        ? known(form.get('username')!, form.get('password')!)
        : refreshTokens[form.get('refresh_token') ?? '']
    return { parameters: form, account, grant, denied: account === undefined }
  }
  const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1]
  if (basic === undefined) return { parameters: url.searchParams, account: undefined, grant: undefined, denied: false }
  const [name, ...rest] = Buffer.from(basic, 'base64').toString().split(':')
  const account = known(name!, rest.join(':'))
  return { parameters: url.searchParams, account, grant: 'basic', denied: account === undefined }
}
