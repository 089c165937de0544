import type { Header } from 'tar-stream'

/** Bytes of a block. */
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

/** Members of a header that `headerOf` has planned. */
export type PlainHeader = Pick<Header, 'name' | 'mode' | 'uid' | 'gid' | 'size' | 'mtime' | 'devmajor' | 'devminor'> & {
  readonly type: keyof typeof FLAGS
  readonly linkname?: string
}

/**
 * Lays out the block of a header, the same to the byte as tar-stream does it: what does not fit was put into PAX records
 * before.
 *
 * SPEC: POSIX ustar; numbers end with a space.
 */
export function writeUstarBlock(bytes: Buffer, at: number, header: PlainHeader): void {
  const { name, type, linkname } = header
  bytes.fill(0, at, at + BLOCK_BYTES)
  // SPEC: a name of over 100 bytes is cut at a slash; the prefix is as short as can be.
  const slash = name.length > 100 ? name.indexOf('/', name.length - 101) : -1
  bytes.write(slash < 0 ? name : name.slice(slash + 1), at, 'latin1')
  octal(bytes, header.mode & 0o7777, at + 100, 6)
  octal(bytes, header.uid, at + 108, 6)
  octal(bytes, header.gid, at + 116, 6)
  octal(bytes, header.size, at + 124, 11)
  octal(bytes, header.mtime.getTime() / 1000, at + 136, 11)
  bytes[at + 156] = FLAGS[type]
  if (linkname !== undefined) bytes.write(linkname, at + 157, 'latin1')
  bytes.write('ustar\x0000', at + 257, 'latin1')
  octal(bytes, header.devmajor, at + 329, 6)
  octal(bytes, header.devminor, at + 337, 6)
  if (slash >= 0) bytes.write(name.slice(0, slash), at + 345, 'latin1')
  octal(bytes, sumOf(bytes, at), at + 148, 6)
}

/** Digits and the space behind them. */
function octal(bytes: Buffer, value: number, at: number, digits: number): void {
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    bytes[i] = 0x30 + (rest % 8)
    rest = Math.floor(rest / 8)
  }
  bytes[at + digits] = SPACE
}

/** SPEC: the sum of all bytes, those of its own field counted as spaces. */
function sumOf(bytes: Buffer, at: number): number {
  let sum = 8 * SPACE
  for (let i = at; i < at + BLOCK_BYTES; i++) sum += bytes[i]!
  return sum
}
