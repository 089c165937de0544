import { RootfsError } from '../errors/index.ts'

const PREFIX = '.wh.'
const OPAQUE = '.wh..wh..opq'
/** Prefix of names that AUFS reserves. */
const AUFS = '.wh..wh.'
/** Directory in which AUFS keeps one name of each file with several names. Hard links of a layer may refer to it. */
const PSEUDO_LINKS = `${AUFS}plnk/`

/** Effect of an entry on lower layers. */
export type Whiteout =
  /** Hides everything that lower layers have in the directory of the marker. */
  | {
      /** Discriminant. */
      readonly kind: 'opaque'
      /** Directory of the marker. */
      readonly directory: string
    }
  /** The name beside the mark is not to be seen any more. */
  | {
      /** Discriminant. */
      readonly kind: 'hide'
      /** Directory of the marker. */
      readonly directory: string
      /** Name that is hidden. */
      readonly name: string
    }
  /** Bookkeeping of AUFS: neither a mark nor a file of the image. */
  | {
      /** Discriminant. */
      readonly kind: 'ignored'
    }

/**
 * Reads the path of an entry as a whiteout, whatever the kind of the entry is; `undefined` if it is none. Directories
 * are `.` for the root.
 *
 * @throws {@link RootfsError} `ERR_INVALID_WHITEOUT` for marks that name nothing, `.` or `..`, and for directories that
 * are named like marks.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts | image-spec: whiteouts}
 * @internal
 */
export function parseWhiteout(path: string, layer?: string): Whiteout | undefined {
  // PERF: hardly any path contains it.
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
  // SAFETY: taken literally, such a marker would delete its own directory, its parent directory, or any path that the
  // layer chooses. It is refused.
  if (!isLast || name === '' || name === '.' || name === '..') {
    const what = isLast ? 'a whiteout that names no file' : 'a whiteout in the middle of a path'
    throw new RootfsError('ERR_INVALID_WHITEOUT', what, { path, layer })
  }
  return { kind: 'hide', directory, name }
}

/**
 * True if the path of an entry, or the target of a hard link, is a pseudo-link of AUFS. In layers that Docker made on
 * AUFS (those of Debian and Ubuntu before 2018) such an entry holds the file, and the names of the file in the image
 * are hard links to it (moby pkg/archive/diff.go). The entry itself is no file of the image: {@link parseWhiteout}
 * returns `ignored`.
 *
 * @internal
 */
export function isPseudoLink(path: string): boolean {
  return path.startsWith(PSEUDO_LINKS) && !path.includes('/', PSEUDO_LINKS.length)
}

/**
 * Returns the path of the entry that hides a path of lower layers.
 *
 * @internal
 */
export function whiteoutPath(path: string): string {
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}${PREFIX}${path.slice(slash)}`
}

/**
 * Returns the path of the entry that hides all content of a directory in lower layers.
 *
 * @internal
 */
export function opaquePath(directory: string): string {
  return `${directory}/${OPAQUE}`
}
