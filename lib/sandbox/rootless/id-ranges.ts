import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { findSystemProgram } from '../executors/process/find-system-program.ts'

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

/** Files of ranges. */
const FILES = { users: '/etc/subuid', groups: '/etc/subgid' }

/** First id that administrators give, as in `useradd`. */
const FIRST_GIVEN = 100_000

/** Returns the ranges of the current user in `/etc/subuid` and `/etc/subgid`; both are empty if one is. */
export function readIdRanges(files = FILES): IdRanges {
  const [users, groups] = [ownRanges(files.users), ownRanges(files.groups)]
  return users.length > 0 && groups.length > 0 ? { users, groups } : { users: [], groups: [] }
}

/**
 * Says how an administrator gives ids to the current user: the missing steps, with a range that is free; empty if no
 * step is missing.
 */
export function howToGiveIds(files = FILES, hasMappers = areMappersInstalled()): string {
  const steps = hasMappers ? [] : ['install the package uidmap']
  if (ownRanges(files.users).length === 0 || ownRanges(files.groups).length === 0) {
    const { name } = currentUser()
    const first = firstFree([...rangesIn(files.users), ...rangesIn(files.groups)])
    const range = `${first}-${first + WANTED - 1}`
    const options = `--add-subuids ${range} --add-subgids ${range}`
    const line = `${name}:${first}:${WANTED}`
    steps.push(`have root write the line ${line} to /etc/subuid and to /etc/subgid (usermod ${options} ${name})`)
  }
  return steps.join(', and ')
}

function areMappersInstalled(): boolean {
  return ['newuidmap', 'newgidmap'].every(name => findSystemProgram(name) !== undefined)
}

/** SAFETY: two users with one range could change each other's files. */
function firstFree(taken: readonly IdRange[]): number {
  let free = FIRST_GIVEN
  for (const { first, count } of [...taken].sort((a, b) => a.first - b.first)) {
    if (first < free + WANTED) free = Math.max(free, first + count)
  }
  return free
}

function ownRanges(file: string): IdRange[] {
  const { name, id } = currentUser()
  return rangesIn(file)
    .filter(({ owner }) => owner === name || owner === String(id))
    .map(({ first, count }) => ({ first, count }))
}

/**
 * Parses a file of ranges: `name-or-number:first:count`, one a line. Lines that are not so are ignored, as the programs
 * that map ids ignore them.
 */
function rangesIn(file: string): (IdRange & { readonly owner: string })[] {
  return textOf(file)
    .split('\n')
    .flatMap(line => {
      const [owner = '', first = '', count = ''] = line.trim().split(':')
      if (!/^\d{1,10}$/.test(first) || !/^\d{1,10}$/.test(count)) return []
      return Number(count) > 0 ? [{ owner, first: Number(first), count: Number(count) }] : []
    })
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
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
