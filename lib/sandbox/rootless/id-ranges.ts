import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'

/** A range of ids that an administrator has given to a user. */
export interface IdRange {
  readonly first: number
  readonly count: number
}

/** Ranges of the user of this process. */
export interface IdRanges {
  readonly users: readonly IdRange[]
  readonly groups: readonly IdRange[]
}

/** Number of ids that images expect. */
const WANTED = 65_536

/** Resolves to the ranges of the current user in `/etc/subuid` and `/etc/subgid`; both are empty if one is. */
export async function readIdRanges(files = { users: '/etc/subuid', groups: '/etc/subgid' }): Promise<IdRanges> {
  const [users, groups] = await Promise.all([rangesIn(files.users), rangesIn(files.groups)])
  return users.length > 0 && groups.length > 0 ? { users, groups } : { users: [], groups: [] }
}

/** Says how an administrator gives ids to the current user. */
export function howToGiveIds(): string {
  const { name } = currentUser()
  const line = `${name}:100000:${WANTED}`
  return `install the package uidmap, and have root write the line ${line} to /etc/subuid and to /etc/subgid (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name})`
}

/**
 * Parses a file of ranges: `name-or-number:first:count`, one a line. Lines that are not so are ignored, as the programs
 * that map ids ignore them.
 */
async function rangesIn(file: string): Promise<IdRange[]> {
  const { name, id } = currentUser()
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').flatMap(line => {
    const [owner, first = '', count = ''] = line.trim().split(':')
    const isOwn = owner === name || owner === String(id)
    if (!isOwn || !/^\d{1,10}$/.test(first) || !/^\d{1,10}$/.test(count)) return []
    return Number(count) > 0 ? [{ first: Number(first), count: Number(count) }] : []
  })
}

function currentUser(): { readonly name: string; readonly id: number } {
  const id = process.getuid?.() ?? 0
  try {
    return { name: userInfo().username, id }
  } catch {
    // The user has no entry in /etc/passwd.
    return { name: String(id), id }
  }
}
