import type { IncomingMessage } from 'node:http'

/** Whether the client has said that it has what it asks for (RFC 9110, 13.1.2). */
export function isKnown(request: IncomingMessage, etag: string): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined) return false
  return header.split(',').some(one => ['*', etag, `W/${etag}`].includes(one.trim()))
}
