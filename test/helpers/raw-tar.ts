import { tarEnd, tarMember, tarPax } from './tar-block.ts'

/** One entry of an archive of {@link rawTar}. Nothing is checked, so that tests can write malformed archives. */
export interface RawEntry {
  path: string | Buffer
  /** Type flag. @defaultValue `'5'` if the path ends with `/`, `'2'` with a `link`, else `'0'` */
  type?: string
  link?: string | Buffer
  content?: string | Buffer
  mode?: number
  uid?: number
  gid?: number
  mtime?: number
  major?: number
  minor?: number
  /** Records of a PAX header in front of it. */
  pax?: Record<string, string | Buffer>
}

/** Writes a tar archive with the given headers; values that do not fit into them become PAX records. */
export function rawTar(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), tarEnd])
}

function blocksOf(entry: RawEntry): Buffer[] {
  const path = Buffer.from(entry.path as string)
  const link = Buffer.from((entry.link ?? '') as string)
  const pax = { ...longFields(entry, path, link), ...entry.pax }
  const member = tarMember(
    {
      name: path.subarray(0, 100),
      flag: entry.type ?? (path.at(-1) === 0x2f ? '5' : entry.link === undefined ? '0' : '2'),
      linkname: link.subarray(0, 100).toString('latin1'),
      mode: octal(entry.mode ?? (path.at(-1) === 0x2f ? 0o755 : 0o644), 8),
      uid: octal(entry.uid, 8),
      gid: octal(entry.gid, 8),
      mtime: octal(entry.mtime, 12),
      devmajor: octal(entry.major, 8),
      devminor: octal(entry.minor, 8),
    },
    entry.content,
  )
  return Object.keys(pax).length > 0 ? [tarPax(pax), member] : [member]
}

function longFields(entry: RawEntry, path: Buffer, link: Buffer): Record<string, Buffer | string> {
  const pax: Record<string, Buffer | string> = {}
  if (path.length > 100) pax.path = path
  if (link.length > 100) pax.linkpath = link
  if (!fits(entry.mtime, 11)) pax.mtime = String(entry.mtime)
  if (!fits(entry.uid, 7)) pax.uid = String(entry.uid)
  if (!fits(entry.gid, 7)) pax.gid = String(entry.gid)
  return pax
}

function octal(value: number | undefined, length: number): string {
  return `${(fits(value, length - 1) ? (value ?? 0) : 0).toString(8).padStart(length - 1, '0')}\0`
}

function fits(value: number | undefined, digits: number): boolean {
  return value === undefined || (Number.isInteger(value) && value >= 0 && value < 8 ** digits)
}
