import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Key that the server knows. */
export interface ServerKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** Farthest that the time of a request may be from that of the server. */
const MOST_SKEW_MS = 15 * 60_000

/**
 * Checks the signature of a request, by a computation of its own. Returns the code of S3 for a request to be refused.
 *
 * @param now - Time of the server.
 */
export function refusalOf(request: IncomingMessage, body: Buffer, key: ServerKey, region: string, now: number) {
  const [path = '', search = ''] = request.url!.split('?')
  const query = new Map(search.split('&').map(pair => pair.split('=') as [string, string]))
  const isPresigned = query.has('X-Amz-Signature')
  const said = isPresigned ? fromQuery(query) : fromHeader(request)
  if (!said) return 'AccessDenied'
  const [id, day, scopeRegion, service, end] = said.credential.split('/')
  if (id !== key.accessKeyId) return 'InvalidAccessKeyId'
  if (said.token !== key.sessionToken) return 'InvalidToken'
  if (scopeRegion !== region) return 'AuthorizationHeaderMalformed'
  if (service !== 's3' || end !== 'aws4_request' || !said.date.startsWith(day!)) return 'AuthorizationHeaderMalformed'
  const time = Date.parse(said.date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (isPresigned && now > time + said.expires * 1000) return 'AccessDenied'
  if (Math.abs(time - now) > MOST_SKEW_MS) return 'RequestTimeTooSkewed'
  const names = said.signed.split(';')
  const amz = Object.keys(request.headers).filter(name => name.startsWith('x-amz-'))
  if (!names.includes('host') || amz.some(name => !names.includes(name))) return 'AccessDenied'
  const hash = isPresigned ? 'UNSIGNED-PAYLOAD' : String(request.headers['x-amz-content-sha256'])
  const canonical = [
    request.method,
    path,
    [...query]
      .filter(([name]) => name !== '' && name !== 'X-Amz-Signature')
      .map(p => p.join('='))
      .sort()
      .join('&'),
    ...names.map(name => `${name}:${request.headers[name]}`),
    '',
    said.signed,
    hash,
  ].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${said.date}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`
  let derived = Buffer.from(`AWS4${key.secretAccessKey}`)
  for (const part of [day!, region, 's3', 'aws4_request', text]) {
    derived = createHmac('sha256', derived).update(part).digest()
  }
  if (derived.toString('hex') !== said.signature) return 'SignatureDoesNotMatch'
  const actual = createHash('sha256').update(body).digest('hex')
  return hash === 'UNSIGNED-PAYLOAD' || hash === actual ? undefined : 'XAmzContentSHA256Mismatch'
}

function fromQuery(query: Map<string, string>) {
  const of = (name: string) => decodeURIComponent(query.get(`X-Amz-${name}`) ?? '')
  return {
    credential: of('Credential'),
    date: of('Date'),
    expires: Number(of('Expires')),
    signed: of('SignedHeaders'),
    signature: of('Signature'),
    token: of('Security-Token') || undefined,
  }
}

function fromHeader({ headers }: IncomingMessage) {
  const form = /^AWS4-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/
  const [, credential, signed, signature] = form.exec(headers.authorization ?? '') ?? []
  if (!credential || !signed || !signature) return undefined
  const token = headers['x-amz-security-token'] as string | undefined
  return { credential, signed, signature, date: String(headers['x-amz-date']), expires: 0, token }
}
