import type { IncomingMessage } from 'node:http'

/** Whether `If-None-Match` says that the client has this content (RFC 9110, 13.1.2); then the answer is 304. */
export function isNotModified(request: IncomingMessage, etag: string): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined) return false
  return header.split(',').some(one => ['*', etag, `W/${etag}`].includes(one.trim()))
}
