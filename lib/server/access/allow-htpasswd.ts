import { LRUCache } from 'lru-cache'
import { isBcrypt, verifyBcrypt } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { Authorize } from './access.ts'
import { keyedHash } from './same-text.ts'

/** Passwords of users who come back need not be hashed again; so many of them. */
const REMEMBERED = 1000

/**
 * Lets the users of an htpasswd file do everything, and others nothing. As with other registries, passwords have to be
 * hashed by bcrypt (`htpasswd -B`); other kinds are broken, and are refused.
 *
 * @param text - What the file holds: a line `user:hash` for each user; empty lines and lines that begin with `#` do not count.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if a line is something else; the message names the line, not what it says.
 */
export function allowHtpasswd(text: string): Authorize {
  const hashes = parseHtpasswd(text)
  // SAFETY: a user who is not there takes as long to refuse as one who is.
  const [anyHash = ''] = hashes.values()
  const right = new LRUCache<string, true>({ max: REMEMBERED })
  return async ({ username, password }) => {
    if (username === undefined || password === undefined) return false
    // PERF: bcrypt is slow on purpose, and clients send their password with every request.
    const seen = keyedHash(JSON.stringify([username, password])).toString('base64')
    if (right.get(seen)) return true
    const hash = hashes.get(username)
    const isRight = await verifyBcrypt(password, hash ?? anyHash)
    if (!isRight || hash === undefined) return false
    right.set(seen, true)
    return true
  }
}

function parseHtpasswd(text: string): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>()
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const [user, hash] = [line.slice(0, Math.max(0, colon)), line.slice(colon + 1).trim()]
    // SAFETY: the line is not shown; it may be a password.
    if (user === '' || !isBcrypt(hash)) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `line ${i + 1} is not a user and a bcrypt hash (htpasswd -B)`)
    }
    hashes.set(user, hash)
  }
  return hashes
}
