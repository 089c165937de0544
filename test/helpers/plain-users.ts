import { readFileSync } from 'node:fs'
import { needs } from './needs.ts'

/** Ids of a user of this machine, for a child process. */
export interface PlainUser {
  readonly uid: number
  readonly gid: number
}

/**
 * A user without privileges that has ranges in `/etc/subuid` and `/etc/subgid`: the current one, or any one if tests
 * run as root. If there is none, prints so; in CI, which creates one, throws.
 */
export function needsUserWithRanges(): PlainUser | undefined {
  const user = candidates().find(({ name }) => hasRange('/etc/subuid', name) && hasRange('/etc/subgid', name))
  if (!user && process.env.CI && process.getuid?.() === 0)
    throw new Error('no user has ranges in /etc/subuid and /etc/subgid, but tests need one')
  return needs(user !== undefined, 'no user has ranges in /etc/subuid and /etc/subgid') ? user : undefined
}

/** A user without such ranges. If there is none, prints so. */
export function needsUserWithoutRanges(): PlainUser | undefined {
  const users = candidates().toReversed()
  const user = users.find(({ name }) => !hasRange('/etc/subuid', name) && !hasRange('/etc/subgid', name))
  return needs(user !== undefined, 'every user has ranges in /etc/subuid') ? user : undefined
}

/** Users that a process of the tests can become. */
function candidates(): (PlainUser & { readonly name: string })[] {
  const own = process.getuid?.()
  return linesOf('/etc/passwd')
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid }) => (own === 0 ? uid > 0 : uid === own))
}

function hasRange(file: string, name: string): boolean {
  return linesOf(file).some(([owner, , count]) => owner === name && Number(count) >= 65_536)
}

function linesOf(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map(line => line.split(':'))
  } catch {
    return []
  }
}
