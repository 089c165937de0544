/** Size of a block in bytes. */
export const BLOCK_BYTES = 512

const FLAGS = {
  file: 0x30,
  link: 0x31,
  symlink: 0x32,
  'character-device': 0x33,
  'block-device': 0x34,
  directory: 0x35,
  fifo: 0x36,
} as const

const SPACE = 0x20
/** Magic and version. */
const MAGIC = 'ustar\x0000'

/** Members of a header planned by `headerOf`. */
export interface PlainHeader {
  readonly name: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: Date
  readonly devmajor: number
  readonly devminor: number
  readonly type: keyof typeof FLAGS
  readonly linkname?: string | undefined
}

/**
 * Writes a header block, identical to the one of tar-stream. PAX records already hold the values that do not fit; names
 * are ASCII.
 *
 * SPEC: POSIX ustar; numbers end with a space. The checksum is the sum of all bytes, with its own field counted as
 * spaces.
 * PERF: the checksum is computed while the fields are written; adding up a finished block would double the time.
 */
export function writeUstarBlock(bytes: Buffer, at: number, header: PlainHeader): void {
  const { name, type, linkname } = header
  bytes.fill(0, at, at + BLOCK_BYTES)
  // SPEC: a name over 100 bytes is split at a slash, with the shortest possible prefix.
  const slash = name.length > 100 ? name.indexOf('/', name.length - 101) : -1
  bytes[at + 156] = FLAGS[type]
  const sum =
    8 * SPACE +
    FLAGS[type] +
    text(bytes, at, name, slash + 1, name.length) +
    octal(bytes, header.mode & 0o7777, at + 100, 6) +
    octal(bytes, header.uid, at + 108, 6) +
    octal(bytes, header.gid, at + 116, 6) +
    octal(bytes, header.size, at + 124, 11) +
    octal(bytes, header.mtime.getTime() / 1000, at + 136, 11) +
    (linkname === undefined ? 0 : text(bytes, at + 157, linkname, 0, linkname.length)) +
    text(bytes, at + 257, MAGIC, 0, MAGIC.length) +
    octal(bytes, header.devmajor, at + 329, 6) +
    octal(bytes, header.devminor, at + 337, 6) +
    (slash < 0 ? 0 : text(bytes, at + 345, name, 0, slash))
  octal(bytes, sum, at + 148, 6)
}

/** Writes characters `from` to `to` and returns the sum of their bytes. */
function text(bytes: Buffer, at: number, characters: string, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) {
    const code = characters.charCodeAt(i)
    bytes[at + i - from] = code
    sum += code
  }
  return sum
}

/** Writes digits and a trailing space and returns the sum of their bytes. */
function octal(bytes: Buffer, value: number, at: number, digits: number): number {
  let sum = SPACE
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    const code = 0x30 + (rest % 8)
    bytes[i] = code
    sum += code
    rest = Math.floor(rest / 8)
  }
  bytes[at + digits] = SPACE
  return sum
}
