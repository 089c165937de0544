import type { BucketCredentials } from '../credentials/credentials.ts'
import {
  ALGORITHM,
  amzDate,
  type SignableRequest,
  type SigningScope,
  scopeText,
  signature,
  signedHeaders,
} from './signature.ts'

/** Returns the headers of a request with those that authorise it. */
export function signHeaders(
  request: SignableRequest,
  credentials: BucketCredentials,
  scope: SigningScope,
): Record<string, string> {
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-content-sha256': request.payloadHash,
    'x-amz-date': amzDate(scope.time),
    ...(credentials.sessionToken ? { 'x-amz-security-token': credentials.sessionToken } : {}),
  }
  const parts = [
    `Credential=${credentials.accessKeyId}/${scopeText(scope)}`,
    `SignedHeaders=${signedHeaders(headers)}`,
    `Signature=${signature({ ...request, headers }, credentials, scope)}`,
  ]
  return { ...headers, authorization: `${ALGORITHM} ${parts.join(',')}` }
}
