import { BuildError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type AccountFiles, parseId, readGroups, readUsers } from './read-accounts.ts'

/** Owner and group of files. */
export interface FileOwner {
  /** Number of the user. */
  readonly uid: number
  /** Number of the group. */
  readonly gid: number
}

/**
 * Resolves to the owner that a text such as `--chown` of COPY names: `user[:group]`, each a name or a number.
 *
 * `root` is 0 in any image. A user alone brings its group: for a number the same number, for a name the one of
 * `/etc/passwd`. A user before a colon and nothing behind it has group 0; a group alone belongs to user 0.
 *
 * @param files - Root filesystem of the stage, for names; `undefined` for an empty one.
 * @throws {@link BuildError} `ERR_BUILD_UNKNOWN_ACCOUNT` for a name that the image does not know;
 * `ERR_BUILD_INVALID_STEP` for a number that cannot own a file. {@link LimitError} as `readUsers`.
 */
export async function resolveOwner(
  text: string,
  files: AccountFiles | undefined,
  options: AbortOptions = {},
): Promise<FileOwner> {
  const colon = text.indexOf(':')
  const user = colon < 0 ? text : text.slice(0, colon)
  const owner = await ownerOf(user, files, options)
  if (colon < 0) return owner
  return { uid: owner.uid, gid: await groupOf(text.slice(colon + 1), files, options) }
}

async function ownerOf(user: string, files: AccountFiles | undefined, options: AbortOptions): Promise<FileOwner> {
  if (user === '' || user === 'root') return { uid: 0, gid: 0 }
  const id = numberIn(user)
  if (id !== undefined) return { uid: id, gid: id }
  const known = (await readUsers(files, options)).find(({ name }) => name === user)
  if (!known) throw unknownAccount('user', user, '/etc/passwd')
  return { uid: known.uid, gid: known.gid }
}

/** Resolves to the id of a group, by name or number. */
export async function groupOf(group: string, files: AccountFiles | undefined, options: AbortOptions): Promise<number> {
  if (group === '' || group === 'root') return 0
  const id = numberIn(group)
  if (id !== undefined) return id
  const known = (await readGroups(files, options)).find(({ name }) => name === group)
  if (!known) throw unknownAccount('group', group, '/etc/group')
  return known.gid
}

/** Parses an id of digits; returns `undefined` for a name. */
export function numberIn(text: string): number | undefined {
  const id = parseId(text)
  if (id !== undefined || !/^[0-9]+$/.test(text)) return id
  throw new BuildError('ERR_BUILD_INVALID_STEP', `${text.slice(0, 40)} cannot be the number of a user or group`)
}

/** The error for a name that an image does not know. */
export function unknownAccount(kind: 'user' | 'group', name: string, file: string): BuildError {
  const what = `${kind} ${JSON.stringify(name.slice(0, 100))} is not in ${file} of the image`
  return new BuildError('ERR_BUILD_UNKNOWN_ACCOUNT', `${what}; create the ${kind} before, or use its number`)
}
