import { setTimeout as delay } from 'node:timers/promises'
import { isBcrypt, verifyBcrypt } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { abortable } from '../../internal/abort.ts'
import type { Authorize } from './access.ts'
import { PasswordChecks } from './password-checks.ts'

/** Bounds of what clients with wrong passwords can cost. */
export interface HtpasswdOptions {
  /** Password checks that may wait; more are answered with 429. @defaultValue `128` */
  readonly maxWaiting?: number | undefined
  /** Password checks of one client that may wait; more are answered with 429. @defaultValue `16` */
  readonly maxWaitingPerClient?: number | undefined
  /** Milliseconds for which a wrong password is refused without another check. @defaultValue five minutes */
  readonly rememberWrongMs?: number | undefined
  /** Milliseconds that the answer to a wrong password takes at least, so that a client cannot try many. @defaultValue `500` */
  readonly refusalMs?: number | undefined
}

/**
 * Lets the users of an htpasswd file do everything, and others nothing. As with other registries, passwords have to be
 * hashed by bcrypt (`htpasswd -B`); other kinds are broken, and are refused.
 *
 * A thread of its own checks the passwords, one after the other, and yields to the threads that move bytes. A right password
 * is remembered until it has not come for an hour, a wrong one for `rememberWrongMs`, both as keyed hashes.
 *
 * @param text - What the file holds: a line `user:hash` for each user; empty lines and lines that begin with `#` do not count.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if a line is something else; the message names the line, not what it says.
 */
export function allowHtpasswd(text: string, options: HtpasswdOptions = {}): Authorize {
  const hashes = parseHtpasswd(text)
  // SAFETY: a user who is not there takes as long to refuse as one who is.
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
    // SAFETY: the line is not shown; it may be a password.
    if (user === '' || !isBcrypt(hash)) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `line ${i + 1} is not a user and a bcrypt hash (htpasswd -B)`)
    }
    hashes.set(user, hash)
  }
  return hashes
}
