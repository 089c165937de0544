import { RootfsError } from '../errors/index.ts'

const PREFIX = '.wh.'
const OPAQUE = '.wh..wh..opq'
/** Names that AUFS keeps for its own use. */
const AUFS = '.wh..wh.'
/** Where AUFS keeps a name of each file that has others: hard links of a layer may lead there. */
const PSEUDO_LINKS = `${AUFS}plnk/`

/** What an entry says about lower layers. */
export type Whiteout =
  /** Nothing of lower layers is to be seen in the directory that the mark is in. */
  | {
      /** Which kind of mark. */
      readonly kind: 'opaque'
      /** Directory that the mark is in. */
      readonly directory: string
    }
  /** The name beside the mark is not to be seen any more. */
  | {
      /** Which kind of mark. */
      readonly kind: 'hide'
      /** Directory that the mark is in. */
      readonly directory: string
      /** The name. */
      readonly name: string
    }
  /** Bookkeeping of AUFS: neither a mark nor a file of the image. */
  | {
      /** Which kind of mark. */
      readonly kind: 'ignored'
    }

/**
 * Reads the path of an entry as a whiteout, whatever the kind of the entry is; `undefined` if it is none. Directories are
 * `.` for the root.
 *
 * @throws {@link RootfsError} `ERR_INVALID_WHITEOUT` for marks that name nothing, `.` or `..`, and for directories that
 * are named like marks.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts | image-spec: whiteouts}
 * @internal
 */
export function parseWhiteout(path: string, layer?: string): Whiteout | undefined {
  // PERF: nearly no path has it.
  if (!path.includes(PREFIX)) return undefined
  const components = path.split('/')
  const marked = components.findIndex(component => component.startsWith(PREFIX))
  if (marked < 0) return undefined
  const mark = components[marked]!
  const isLast = marked === components.length - 1
  const directory = components.slice(0, marked).join('/') || '.'
  if (mark === OPAQUE && isLast) return { kind: 'opaque', directory }
  if (mark.startsWith(AUFS) && mark !== OPAQUE) return { kind: 'ignored' }
  const name = mark.slice(PREFIX.length)
  // SAFETY: taken literally, these delete the directory itself, the one above it, or, with a path behind, whatever it says.
  if (!isLast || name === '' || name === '.' || name === '..') {
    const what = isLast ? 'a whiteout that names no file' : 'a whiteout in the middle of a path'
    throw new RootfsError('ERR_INVALID_WHITEOUT', what, { path, layer })
  }
  return { kind: 'hide', directory, name }
}

/**
 * Whether the path of an entry, or the target of a hard link, is a pseudo-link of AUFS. Layers that Docker made on AUFS
 * (those of Debian and Ubuntu before 2018) hold a file there, and the names that it has in the image are hard links to it
 * (moby pkg/archive/diff.go). The entry itself is no file of the image: {@link parseWhiteout} says `ignored`.
 *
 * @internal
 */
export function isPseudoLink(path: string): boolean {
  return path.startsWith(PSEUDO_LINKS) && !path.includes('/', PSEUDO_LINKS.length)
}

/**
 * The path of the entry that hides a path of lower layers.
 *
 * @internal
 */
export function whiteoutPath(path: string): string {
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}${PREFIX}${path.slice(slash)}`
}
