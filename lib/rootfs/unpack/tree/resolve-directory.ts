import { RootfsError } from '../../../errors/index.ts'
import type { DirectoryNode } from './directory-node.ts'
import type { DirectoryTree } from './directory-tree.ts'

/** Links that may be followed on the way to one path, as in Linux's own limit (40) but for whole images. */
const MAX_LINKS = 255
/** SAFETY: components gone through for one path; bounds what few links with long targets can cost. */
const MAX_STEPS = 16_384

/** What to do on the way to a directory. */
export interface WayOptions {
  /** Makes a directory that is missing; without it a missing directory ends the search. */
  readonly make?: (parent: DirectoryNode, name: string) => DirectoryNode
  /** Take something that is no directory for something that is not there, instead of refusing the way. */
  readonly lenient?: boolean
  /** Says of something that is no directory that the search ends there, as if there were nothing. */
  readonly isEnd?: (parent: DirectoryNode, name: string) => boolean
  /** Is told of every link that was followed. */
  readonly onLink: (parent: DirectoryNode, name: string) => void
}

/**
 * Walks from the root to a directory as a process inside the root would: an absolute link starts at the root again, `..`
 * in a link stops there. Images rely on it (`var/run` leads to `/run`), attackers find nothing else.
 *
 * @throws {@link RootfsError} `ERR_TOO_MANY_LINKS`, `ERR_NOT_A_DIRECTORY` if a file stands in the way.
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
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (++steps > MAX_STEPS) throw fault('ERR_TOO_MANY_LINKS', 'symbolic links lead too far around', components)
    if (name === '' || name === '.') continue
    if (name === '..') {
      node = node.parent ?? node
      continue
    }
    const found = tree.look(node, name)
    if (found.kind === 'directory') node = found.node
    else if (found.kind !== 'absent' && options.isEnd?.(node, name)) return undefined
    else if (found.kind === 'link') {
      if (++links > MAX_LINKS) throw fault('ERR_TOO_MANY_LINKS', 'more than 255 links on the way', components)
      options.onLink(node, name)
      if (found.target.startsWith('/')) node = tree.root
      for (const part of found.target.split('/').reverse()) rest.push(part)
    } else if (found.kind === 'other') {
      if (options.lenient) return undefined
      throw fault('ERR_NOT_A_DIRECTORY', 'a path leads through something that is no directory', components)
    } else if (!options.make) return undefined
    else node = options.make(node, name)
  }
  return node
}

function fault(
  code: 'ERR_TOO_MANY_LINKS' | 'ERR_NOT_A_DIRECTORY',
  message: string,
  way: readonly string[],
): RootfsError {
  return new RootfsError(code, message, { path: way.join('/') })
}
