import { createHash, createHmac } from 'node:crypto'
import type { BucketCredentials } from '../credentials/credentials.ts'
import { encodeQuery, type QueryPairs } from './encode.ts'

/** Name of the algorithm, as requests state it. */
export const ALGORITHM = 'AWS4-HMAC-SHA256'
/** Takes the place of the payload's hash where the sender does not know it. */
export const UNSIGNED = 'UNSIGNED-PAYLOAD'

/** A request as the signer sees it. */
export interface SignableRequest {
  readonly method: string
  /** Path, already encoded. */
  readonly path: string
  readonly query: QueryPairs
  /** Headers by their names in lower case; all of them are signed. `host` has to be among them. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body in hex, or {@link UNSIGNED}. */
  readonly payloadHash: string
}

/** For what a signature holds: one day, one region and one service. */
export interface SigningScope {
  /** Time of the request, in milliseconds since 1970. */
  readonly time: number
  readonly region: string
  /** @defaultValue `s3` */
  readonly service?: string | undefined
}

/** `20130524T000000Z` */
export function amzDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

/** `20130524/us-east-1/s3/aws4_request` */
export function scopeText({ time, region, service = 's3' }: SigningScope): string {
  return `${amzDate(time).slice(0, 8)}/${region}/${service}/aws4_request`
}

/** Names of the signed headers, sorted and joined by semicolons. */
export function signedHeaders(headers: Readonly<Record<string, string>>): string {
  return Object.keys(headers).sort().join(';')
}

/**
 * Computes the signature of a request in hex.
 *
 * SPEC: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signature(request: SignableRequest, credentials: BucketCredentials, scope: SigningScope): string {
  const hash = createHash('sha256').update(canonicalRequest(request)).digest('hex')
  const text = [ALGORITHM, amzDate(scope.time), scopeText(scope), hash].join('\n')
  return hmac(signingKey(credentials.secretAccessKey, scope), text).toString('hex')
}

function canonicalRequest({ method, path, query, headers, payloadHash }: SignableRequest): string {
  const names = Object.keys(headers).sort()
  const lines = names.map(name => `${name}:${headers[name]!.trim().replace(/ +/g, ' ')}\n`).join('')
  return [method, path, encodeQuery(query), lines, names.join(';'), payloadHash].join('\n')
}

/** Key of one day, region and service. */
export function signingKey(secretAccessKey: string, scope: SigningScope): Buffer {
  return scopeText(scope)
    .split('/')
    .reduce<Buffer | string>((key, part) => hmac(key, part), `AWS4${secretAccessKey}`) as Buffer
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
