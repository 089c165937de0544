/** Much longer than any user name and password that make sense. */
const LIMIT = 4096

/** User name and password of an `Authorization` header; neither if it has none, or none that can be read. */
export function basicCredentials(header: string | undefined): {
  readonly username: string | undefined
  readonly password: string | undefined
} {
  const nobody = { username: undefined, password: undefined }
  if (header === undefined || header.length > LIMIT) return nobody
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header.trim())?.[1]
  if (encoded === undefined) return nobody
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? nobody : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
