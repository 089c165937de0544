import { serverTimeOf } from '../answers/read-answer.ts'
import type { ObjectFacts } from '../bucket.ts'
import type { HttpAnswer } from '../transport/wire.ts'

/** User metadata that names the one write that made an object. */
export const WRITE_HEADER = 'x-amz-meta-layerstore-write'

/**
 * Reads the facts of an object from the headers of an answer.
 *
 * @throws `Error` if one is missing.
 */
export function factsOf(key: string, answer: Pick<HttpAnswer, 'status' | 'headers'>): ObjectFacts {
  const { headers } = answer
  const range = /^bytes \d+-\d+\/(\d{1,15})$/.exec(headers['content-range'] ?? '')
  const size = answer.status === 206 ? range?.[1] : headers['content-length']
  if (size === undefined || !/^\d{1,15}$/.test(size)) throw new Error(`no size of object ${key}`)
  const modified = Date.parse(headers['last-modified'] ?? '')
  const { etag } = headers
  if (etag === undefined || etag === '' || Number.isNaN(modified)) throw new Error(`no version of object ${key}`)
  return { key, size: Number(size), etag, modified, serverTime: serverTimeOf(answer) }
}
