import type { AbortOptions } from '../../internal/abort.ts'
import { type AccountFiles, readGroups, readUsers } from './read-accounts.ts'
import { type FileOwner, groupOf, numberIn, unknownAccount } from './resolve-owner.ts'

/** A user as a process runs as it. */
export interface ProcessUser extends FileOwner {
  /**
   * Groups as `setgroups` gets them: the own one, then those that have the user as a member, in the order of
   * `/etc/group`; only the own one if a group was named.
   */
  readonly groups: readonly number[]
  /** Home directory, which may be empty; `/` if the image does not know the user. */
  readonly home: string
}

/**
 * Resolves to the user that the `User` of a config names: `user[:group]`, each a name or a number; an empty text is
 * root.
 *
 * A number needs no entry in `/etc/passwd`; the entry gives group and home if there is one, else the group is 0.
 *
 * @param files - Root filesystem of the image; `undefined` for an empty one.
 * @throws {@link BuildError} `ERR_BUILD_UNKNOWN_ACCOUNT`, `ERR_BUILD_INVALID_STEP`; {@link LimitError} as `readUsers`.
 */
export async function resolveUser(
  text: string,
  files: AccountFiles | undefined,
  options: AbortOptions = {},
): Promise<ProcessUser> {
  const [user, group] = splitUser(text)
  const id = user === '' ? 0 : numberIn(user)
  const users = await readUsers(files, options)
  const known = users.find(account => (id === undefined ? account.name === user : account.uid === id))
  if (!known && id === undefined && user !== 'root') throw unknownAccount('user', user, '/etc/passwd')
  const uid = known?.uid ?? id ?? 0
  const home = known?.home ?? '/'
  if (group !== undefined && group !== '') {
    const named = await groupOf(group, files, options)
    return { uid, gid: named, groups: [named], home }
  }
  const name = known?.name
  const groups = await readGroups(files, options)
  const memberOf = groups.filter(({ members }) => name !== undefined && members.includes(name)).map(({ gid }) => gid)
  const gid = known?.gid ?? 0
  return { uid, gid, groups: [...new Set([gid, ...memberOf])], home }
}

function splitUser(text: string): [user: string, group: string | undefined] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)]
}
