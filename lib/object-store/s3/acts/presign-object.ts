import { invalidArgument } from '../../../internal/invalid-argument.ts'
import type { PresignOptions } from '../bucket.ts'
import type { QueryPairs } from '../signing/encode.ts'
import { MOST_SECONDS } from '../signing/presign-query.ts'
import type { BucketScope } from './bucket-scope.ts'

/** Makes an address that serves one object without credentials. */
export async function presignObject(scope: BucketScope, key: string, options: PresignOptions): Promise<string> {
  const { method = 'GET', expiresIn, response = {}, signal } = options
  if (!Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > MOST_SECONDS) {
    throw invalidArgument('expiresIn', `a number of seconds from 1 to ${MOST_SECONDS}`, expiresIn)
  }
  const query: QueryPairs = [
    ...(response.contentType === undefined ? [] : [['response-content-type', response.contentType] as const]),
    ...(response.contentDisposition === undefined
      ? []
      : [['response-content-disposition', response.contentDisposition] as const]),
  ]
  return scope.requester.presign(method, scope.keyOf(key), expiresIn, query, signal)
}
