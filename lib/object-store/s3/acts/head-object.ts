import type { AbortOptions } from '../../../internal/abort.ts'
import type { ObjectFacts } from '../bucket.ts'
import type { BucketScope } from './bucket-scope.ts'
import { factsOf, WRITE_HEADER } from './object-facts.ts'

/** Facts of an object, and the name of the write that made it. */
export interface HeadAnswer {
  readonly facts: ObjectFacts
  readonly write: string | undefined
}

/** Asks for the facts of an object. */
export async function headObject(
  scope: BucketScope,
  key: string,
  options?: AbortOptions,
): Promise<HeadAnswer | undefined> {
  const request = { method: 'HEAD', key: scope.keyOf(key), accept: [404], signal: options?.signal }
  const { answer } = await scope.requester.send(request)
  if (answer.status === 404) return undefined
  const write = answer.headers[WRITE_HEADER]
  try {
    return { facts: factsOf(key, answer), write: write === undefined ? undefined : String(write) }
  } catch (cause) {
    throw scope.requester.protocolError(request, cause)
  }
}
