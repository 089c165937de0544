/** Longest header that is decoded; far above any real user name and password. */
const LIMIT = 4096

/**
 * User name and password of an `Authorization` header; both `undefined` for a missing, malformed or non-basic header.
 */
export function basicCredentials(header: string | undefined): {
  readonly username: string | undefined
  readonly password: string | undefined
} {
  const none = { username: undefined, password: undefined }
  if (header === undefined || header.length > LIMIT) return none
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header.trim())?.[1]
  if (encoded === undefined) return none
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? none : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
