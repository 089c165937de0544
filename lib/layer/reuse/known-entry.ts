import type { Digest } from '../../digest/index.ts'
import type { TarInput } from '../../tar/index.ts'

/**
 * An entry whose content the caller knows by its digest. The content of a file is in memory, or a function that may be
 * called never, once or several times, and gives the bytes of the digest or fails. Bytes that it returns at once are
 * copied before the next content is opened.
 *
 * @internal
 */
export interface KnownEntry extends TarInput {
  /** Digest of the content of a file. */
  readonly digest?: Digest | undefined
}

const EMPTY_DIGEST = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as Digest

/** Size of the content of an entry; `undefined` if only reading it would tell. */
export function knownSize({ type, size, content }: TarInput): number | undefined {
  if (type !== 'file') return content === undefined ? 0 : undefined
  if (content instanceof Uint8Array) return content.byteLength
  return content === undefined || typeof content === 'function' ? (size ?? 0) : undefined
}

/** Digest of the content of a file; `undefined` if only reading it would tell. */
export function knownDigest(entry: KnownEntry): Digest | undefined {
  return entry.digest ?? (knownSize(entry) === 0 ? EMPTY_DIGEST : undefined)
}

/**
 * True if the tar of an entry follows from its members, and its place in an index as well. Attributes and devices are
 * rare, and left to the pass that reads the bytes.
 */
export function isKnown(entry: KnownEntry): boolean {
  const { type, xattrs } = entry
  if (knownSize(entry) === undefined || (xattrs && xattrs.size > 0)) return false
  return type === 'file' ? knownDigest(entry) !== undefined : PLAIN_TYPES.includes(type)
}

const PLAIN_TYPES: readonly string[] = ['directory', 'symlink', 'hardlink']
