import type { BucketCredentials } from '../credentials/credentials.ts'
import { encodeQuery, type QueryPairs } from './encode.ts'
import {
  ALGORITHM,
  amzDate,
  type SignableRequest,
  type SigningScope,
  scopeText,
  signature,
  signedHeaders,
  UNSIGNED,
} from './signature.ts'

/** Longest validity of a presigned address in seconds: the signing key holds for seven days. */
export const MOST_SECONDS = 7 * 24 * 3600

/** A request to authorise by its query. */
export interface PresignableRequest extends Omit<SignableRequest, 'payloadHash'> {
  /** Seconds until the address ends, from 1 to {@link MOST_SECONDS}. */
  readonly expiresIn: number
}

/**
 * Returns the query that authorises a request without further headers.
 *
 * SPEC: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function presignQuery(
  { expiresIn, ...request }: PresignableRequest,
  credentials: BucketCredentials,
  scope: SigningScope,
): string {
  const query: QueryPairs = [
    ...request.query,
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scopeText(scope)}`],
    ['X-Amz-Date', amzDate(scope.time)],
    ['X-Amz-Expires', String(expiresIn)],
    ['X-Amz-SignedHeaders', signedHeaders(request.headers)],
    ...(credentials.sessionToken ? [['X-Amz-Security-Token', credentials.sessionToken] as const] : []),
  ]
  const signed = signature({ ...request, query, payloadHash: UNSIGNED }, credentials, scope)
  return `${encodeQuery(query)}&X-Amz-Signature=${signed}`
}
