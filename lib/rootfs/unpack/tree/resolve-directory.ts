import { RootfsError } from '../../../errors/index.ts'
import type { DirectoryNode } from './directory-node.ts'
import type { DirectoryTree } from './directory-tree.ts'

/** Maximum number of links followed for one path. Linux allows 40; images that other tools accept need more. */
const MAX_LINKS = 255
/**
 * SAFETY: a few links with long targets could expand one path to billions of components. This bounds the components
 * walked for one path.
 */
const MAX_STEPS = 16_384

/** Options of {@link resolveDirectory}. */
export interface WayOptions {
  /**
   * Creates a missing directory, also in place of an entry that is neither a directory nor a link. Without it, the
   * search ends at a missing directory.
   */
  readonly make?: (parent: DirectoryNode, name: string) => DirectoryNode
  /** Treat an entry that is neither a directory nor a link as missing. */
  readonly lenient?: boolean
  /**
   * Returns true if the search must end at an entry that is no directory, as if it were missing. `written` is the path
   * as it is written, until the first link is followed.
   */
  readonly isEnd?: (parent: DirectoryNode, name: string, written: string | undefined) => boolean
  /** Called for every name that affects the result: followed links, and directories that `..` leaves. */
  readonly onUse?: (parent: DirectoryNode, name: string) => void
  /** Is asked whether a link may be followed, given its target. */
  readonly mayFollow: (target: string) => boolean
  /** The layer that asks, for errors. */
  readonly layer?: string | undefined
}

/**
 * Resolves a path to a directory as a process inside the root would: an absolute link starts at the root, and `..` in a
 * link stops there. Images rely on it (`var/run` leads to `/run`), and no link can leave the root.
 *
 * @returns `undefined` if the directory does not exist.
 * @throws {@link RootfsError} `ERR_TOO_MANY_LINKS`.
 */
export function resolveDirectory(
  tree: DirectoryTree,
  components: readonly string[],
  options: WayOptions,
): DirectoryNode | undefined {
  let node = tree.root
  let links = 0
  let steps = 0
  const fault = (why: string) =>
    new RootfsError('ERR_TOO_MANY_LINKS', why, { path: components.join('/'), layer: options.layer })
  const rest = components.toReversed()
  let written: string | undefined = ''
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (++steps > MAX_STEPS) throw fault('symbolic links lead too far around')
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (node.parent) options.onUse?.(node.parent, node.name)
      node = node.parent ?? node
      continue
    }
    if (written !== undefined) written = written === '' ? name : `${written}/${name}`
    const found = tree.look(node, name)
    if (found.kind === 'directory') node = found.node
    else if (found.kind !== 'absent' && options.isEnd?.(node, name, written)) return undefined
    else if (found.kind === 'link') {
      if (++links > MAX_LINKS) throw fault(`more than ${MAX_LINKS} symbolic links on the way`)
      if (!options.mayFollow(found.target)) {
        throw fault('the entries of one layer lead through too many links')
      }
      options.onUse?.(node, name)
      written = undefined
      if (found.target.startsWith('/')) node = tree.root
      for (const part of found.target.split('/').reverse()) rest.push(part)
    } else if (!options.make || (found.kind === 'other' && options.lenient)) return undefined
    else node = options.make(node, name)
  }
  return node
}
