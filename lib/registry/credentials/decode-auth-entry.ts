import type { Credential } from './credential.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

/**
 * Decodes one entry of `auths`: `{ auth }` in base64, `{ username, password }`, or a token. An empty entry yields no
 * credentials: docker writes one if a helper keeps the secret. A member that is `null` or empty counts as absent.
 *
 * @param file - Name of the file in errors.
 * @throws `UnusableCredentials`.
 */
export function decodeAuthEntry(entry: unknown, file: string): Credential | undefined {
  if (entry === undefined || entry === null) return undefined
  if (typeof entry !== 'object' || Array.isArray(entry)) {
    throw new UnusableCredentials(`the entry of the registry in ${file} is not an object`)
  }
  const text = (key: string): string | undefined => {
    const value = Object.hasOwn(entry, key) ? (entry as Record<string, unknown>)[key] : undefined
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value !== 'string') throw new UnusableCredentials(`${key} in ${file} is not a string`)
    return value
  }
  const auth = text('auth')
  const pair = auth === undefined ? undefined : decodePair(auth, file)
  const username = pair?.username ?? text('username')
  const registryToken = text('registrytoken')
  if (registryToken !== undefined) return { registryToken }
  const identityToken = text('identitytoken')
  if (identityToken !== undefined) return { username, identityToken }
  const password = pair?.password ?? text('password')
  return password === undefined ? undefined : { username, password }
}

function decodePair(auth: string, file: string): { username: string; password: string } {
  // SAFETY: `Buffer.from` silently skips characters that are not base64, and would send a wrong password.
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(auth) && auth.length % 4 === 0
  const decoded = isBase64 ? Buffer.from(auth, 'base64').toString('utf8') : ''
  const colon = decoded.indexOf(':')
  if (colon < 1) throw new UnusableCredentials(`auth in ${file} is not the base64 of user:password`)
  // Docker pads the pair with NUL bytes.
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') }
}
