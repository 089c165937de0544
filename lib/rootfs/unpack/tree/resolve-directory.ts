import { RootfsError } from '../../../errors/index.ts'
import type { DirectoryNode } from './directory-node.ts'
import type { DirectoryTree } from './directory-tree.ts'

/** Links that may be followed on the way to one path, as in Linux's own limit (40) but for whole images. */
const MAX_LINKS = 255
/** SAFETY: components gone through for one path; bounds what few links with long targets can cost. */
const MAX_STEPS = 16_384

/** What to do on the way to a directory. */
export interface WayOptions {
  /**
   * Makes a directory that is missing, or in the place of something that is neither a directory nor a link; without it, a
   * missing directory ends the search.
   */
  readonly make?: (parent: DirectoryNode, name: string) => DirectoryNode
  /** Take something that is neither a directory nor a link for something that is not there. */
  readonly lenient?: boolean
  /**
   * Says of something that is no directory that the search ends there, as if there were nothing. Given the path as it is
   * written, for as long as no link was followed.
   */
  readonly isEnd?: (parent: DirectoryNode, name: string, written: string | undefined) => boolean
  /** Is told of every name that decides where the way leads: links that are followed, and directories that `..` leaves. */
  readonly onUse?: (parent: DirectoryNode, name: string) => void
}

/**
 * Walks from the root to a directory as a process inside the root would: an absolute link starts at the root again, `..`
 * in a link stops there. Images rely on it (`var/run` leads to `/run`), attackers find nothing else.
 *
 * @returns `undefined` if there is nothing.
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
  const rest = components.toReversed()
  let written: string | undefined = ''
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (++steps > MAX_STEPS) throw fault('ERR_TOO_MANY_LINKS', 'symbolic links lead too far around', components)
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
      if (++links > MAX_LINKS) throw fault('ERR_TOO_MANY_LINKS', 'more than 255 links on the way', components)
      options.onUse?.(node, name)
      written = undefined
      if (found.target.startsWith('/')) node = tree.root
      for (const part of found.target.split('/').reverse()) rest.push(part)
    } else if (!options.make || (found.kind === 'other' && options.lenient)) return undefined
    else node = options.make(node, name)
  }
  return node
}

function fault(code: 'ERR_TOO_MANY_LINKS', message: string, way: readonly string[]): RootfsError {
  return new RootfsError(code, message, { path: way.join('/') })
}
