import { LimitError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import type { UnionView } from '../../rootfs/index.ts'

/** SAFETY: an image decides the size of its files. The limit is that of BuildKit. */
const MOST_BYTES = 10 * 1024 * 1024

/** A line of `/etc/passwd`. */
export interface UserAccount {
  /** Name of the user. */
  readonly name: string
  /** Number of the user. */
  readonly uid: number
  /** Primary group. */
  readonly gid: number
  /** Home directory. */
  readonly home: string
}

/** A line of `/etc/group`. */
export interface GroupAccount {
  /** Name of the group. */
  readonly name: string
  /** Number of the group. */
  readonly gid: number
  /** Names of users that have it as a supplementary group. */
  readonly members: readonly string[]
}

/** Members of a view that reading accounts needs. */
export type AccountFiles = Pick<UnionView, 'stat' | 'read'>

/**
 * Resolves to the users of a root filesystem, in the order of its `/etc/passwd`; none if the file does not exist.
 * Links are followed inside the root. Lines that are no accounts are ignored.
 *
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` for a file over 10 MiB.
 */
export async function readUsers(files: AccountFiles | undefined, options: AbortOptions = {}): Promise<UserAccount[]> {
  const lines = await readLines(files, 'etc/passwd', options)
  return lines.flatMap(line => {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':')
    const ids = [parseId(uid), parseId(gid)] as const
    return name === '' || ids[0] === undefined || ids[1] === undefined ? [] : [{ name, uid: ids[0], gid: ids[1], home }]
  })
}

/** Resolves to the groups of a root filesystem, likewise from `/etc/group`. */
export async function readGroups(files: AccountFiles | undefined, options: AbortOptions = {}): Promise<GroupAccount[]> {
  const lines = await readLines(files, 'etc/group', options)
  return lines.flatMap(line => {
    const [name = '', , id = '', members = ''] = line.split(':')
    const gid = parseId(id)
    return name === '' || gid === undefined ? [] : [{ name, gid, members: members.split(',').filter(Boolean) }]
  })
}

/** The largest id that can own a file: `chown` takes the next one as "leave unchanged". */
const MAX_ID = 2 ** 32 - 2

/** Parses an id of decimal digits; returns `undefined` for any other text. */
export function parseId(text: string): number | undefined {
  const id = /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined
  return id !== undefined && id <= MAX_ID ? id : undefined
}

async function readLines(
  files: AccountFiles | undefined,
  path: string,
  { signal }: AbortOptions,
): Promise<readonly string[]> {
  const entry = files?.stat(path, { follow: true })
  if (!files || entry?.type !== 'file') return []
  const what = `bytes of /${path} of the image`
  if (entry.size > MOST_BYTES) throw new LimitError(what, { limit: MOST_BYTES, actual: entry.size })
  const bytes = await collectBytes(files.read(path, { signal }), MOST_BYTES, what)
  return Buffer.from(bytes).toString('utf8').split('\n')
}
