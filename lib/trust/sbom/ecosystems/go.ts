import type { StatedPackage } from './stated-package.ts'

/** Starts the record of a Go program, at an offset that is divisible by 16. */
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1')
const HEADER = 32
/** Most bytes of the lines of a record, and of the version before them. */
const MOST = 8 * 1024 * 1024
const MOST_OF_VERSION = 1024
const ELF = 0x7f454c46
/** Bit of the flags: version and modules follow the header. Before Go 1.18 pointers do. */
const INLINE = 2

/** Record that the Go linker leaves in a program. */
export interface GoBuildInfo {
  /** Version of Go, as `go1.22.1`; absent in the form before Go 1.18, which is not read. */
  readonly version?: string | undefined
  /** Lines with the modules, as `go version -m` prints them. */
  readonly modules: string
}

/**
 * Finds the record of the Go linker in a program and reads no further. Files that are no ELF programs are left after
 * their first bytes.
 *
 * @see {@link https://pkg.go.dev/debug/buildinfo | Go: debug/buildinfo}
 */
export async function findGoBuildInfo(chunks: AsyncIterable<Uint8Array>): Promise<GoBuildInfo | undefined> {
  // The window begins at an offset that is divisible by 16.
  let parts: Uint8Array[] = []
  let [size, wanted, isElf] = [0, 4, false]
  for await (const chunk of chunks) {
    parts.push(chunk)
    size += chunk.length
    if (size < wanted) continue
    const window = Buffer.concat(parts, size)
    if (!isElf && window.readUInt32BE(0) !== ELF) return undefined
    isElf = true
    const found = search(window)
    if ('info' in found) return found.info
    parts = [window.subarray(found.from)]
    size = window.length - found.from
    wanted = found.wanted
  }
  const found = search(Buffer.concat(parts, size), true)
  return 'info' in found ? found.info : undefined
}

type Search = { readonly info: GoBuildInfo } | { readonly from: number; readonly wanted: number }

/** Searches a window for a record: returns it, or from where on the next bytes are needed. */
function search(window: Buffer, isEnd = false): Search {
  for (let at = window.indexOf(MAGIC); at >= 0; at = window.indexOf(MAGIC, at + 1)) {
    // SAFETY: programs that read such records contain the magic bytes too; a record is believed only if all of it
    // is well-formed.
    if (at % 16 !== 0) continue
    const read = readRecord(window.subarray(at))
    if (typeof read === 'object') return { info: read }
    if (typeof read === 'number' && !isEnd) return { from: at, wanted: read }
  }
  const from = Math.max(0, window.length - MAGIC.length) & ~15
  return { from, wanted: 64 * 1024 }
}

/** The record; the number of bytes that it needs, if these are too few; `undefined` if it is none. */
function readRecord(bytes: Buffer): GoBuildInfo | number | undefined {
  if (bytes.length < HEADER) return HEADER
  const flags = bytes[15]!
  if ((flags & INLINE) === 0) {
    return (bytes[14] === 4 || bytes[14] === 8) && flags <= 1 ? { modules: '' } : undefined
  }
  // SAFETY: bytes that are no record may state any length. The search would wait for so many bytes, again every 16
  // bytes. So it waits for those of a version only, until it has found one.
  const version = readString(bytes, HEADER, MOST_OF_VERSION)
  if (typeof version !== 'object') return version
  if (!/^(?:go\d|devel )/.test(version.text.toString('latin1', 0, 8))) return undefined
  const modules = readString(bytes, version.end, MOST)
  if (typeof modules !== 'object') return modules
  return { version: version.text.toString(), modules: unframed(modules.text) }
}

/** Text with its length as a varint before it. */
function readString(bytes: Buffer, at: number, most: number): { text: Buffer; end: number } | number | undefined {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return at + i + 1
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) {
      const start = at + i + 1
      if (length > most) return undefined
      if (start + length > bytes.length) return start + length
      return { text: bytes.subarray(start, start + length), end: start + length }
    }
  }
  return undefined
}

/** SPEC: 16 bytes before and after the lines let a debugger find them; other texts hold no modules. */
function unframed(text: Buffer): string {
  return text.length >= 33 && text.at(-17) === 0x0a ? text.subarray(16, -16).toString() : ''
}

/** The modules that a program is linked from, and the standard library. A replaced module is the one in its place. */
export function goPackages({ version, modules }: GoBuildInfo): StatedPackage[] {
  const stated: StatedPackage[] = []
  for (const line of modules.split('\n')) {
    const [kind, name, of] = line.split('\t')
    if (kind === '=>') stated.pop()
    if ((kind === 'mod' || kind === 'dep' || kind === '=>') && name) stated.push({ name, version: of || '(devel)' })
  }
  const [, number] = version?.match(/^go(\d\S*)/) ?? []
  return number ? [{ name: 'stdlib', version: number }, ...stated] : stated
}
