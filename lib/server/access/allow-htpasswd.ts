import { setTimeout as delay } from 'node:timers/promises'
import { isBcrypt, verifyBcrypt } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { abortable } from '../../internal/abort.ts'
import type { Authorize } from './access.ts'
import { PasswordChecks } from './password-checks.ts'

/** Limits for password checks and delays for refusals. */
export interface HtpasswdOptions {
  /** Password checks that may wait; further requests are answered with 429. @defaultValue `128` */
  readonly maxWaiting?: number | undefined
  /** Password checks of one client that may wait; further requests are answered with 429. @defaultValue `16` */
  readonly maxWaitingPerClient?: number | undefined
  /** Time in milliseconds during which a wrong password is refused without another check. @defaultValue five minutes */
  readonly rememberWrongMs?: number | undefined
  /** Least time in milliseconds before a refusal is sent; it slows down password guessing. @defaultValue `500` */
  readonly refusalMs?: number | undefined
}

/**
 * Allows every action to the users of an htpasswd file, and refuses all other requests. Passwords must be hashed with
 * bcrypt (`htpasswd -B`), as docker-registry (distribution) requires; the other htpasswd formats are insecure and are
 * refused.
 *
 * One worker thread of low priority checks the passwords one at a time. A right password is remembered until one hour
 * after its last use, a wrong one for `rememberWrongMs`, both as keyed hashes.
 *
 * @example
 * ```ts
 * const authorize = allowHtpasswd(await readFile('htpasswd', 'utf8'))
 * const server = createRegistryServer(store, { authorize })
 * ```
 *
 * @param text - Content of the file: one line `user:hash` per user. Empty lines and lines that start with `#` are
 * ignored.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for any other line; the message gives the line number, not its
 * content.
 */
export function allowHtpasswd(text: string, options: HtpasswdOptions = {}): Authorize {
  const hashes = parseHtpasswd(text)
  // SAFETY: without a hash to check, an unknown user would be refused faster than a known one, and a client could find
  // out the user names. So an unknown user is checked against the hash of another user.
  const [anyHash = ''] = hashes.values()
  const verify = async (username: string, password: string) => {
    const hash = hashes.get(username)
    return (await verifyBcrypt(password, hash ?? anyHash)) && hash !== undefined
  }
  const checks = new PasswordChecks(verify, {
    maxWaiting: options.maxWaiting ?? 128,
    maxWaitingPerClient: options.maxWaitingPerClient ?? 16,
    rememberWrongMs: options.rememberWrongMs ?? 300_000,
  })
  const refusalMs = options.refusalMs ?? 500
  return async ({ username, password }, { client, signal } = {}) => {
    if (username === undefined || password === undefined) return false
    const earliest = delay(refusalMs, undefined, { ref: false })
    const answer = await checks.ask(username, password, client ?? '', signal)
    if (answer !== true) await abortable(earliest, signal)
    return answer
  }
}

function parseHtpasswd(text: string): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>()
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const [user, hash] = [line.slice(0, Math.max(0, colon)), line.slice(colon + 1).trim()]
    // SAFETY: a malformed line may hold a plain password; the message does not quote it.
    if (user === '' || !isBcrypt(hash)) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `line ${i + 1} is not a user and a bcrypt hash (htpasswd -B)`)
    }
    hashes.set(user, hash)
  }
  return hashes
}
