import { RootfsError, type RootfsErrorCode } from '../../errors/index.ts'
import { isDirectory, setChild, type TreeNode } from './tree-node.ts'

/** Maximum number of links followed for one path. Linux allows 40; images that other tools accept need more. */
const MAX_LINKS = 255
/**
 * SAFETY: a few links with long targets could expand one path to billions of components. This bounds the components
 * walked for one path.
 */
const MAX_STEPS = 16_384

/** Options of {@link resolvePath}. */
export interface ResolveOptions {
  /** Follow a link at the end of the path. */
  readonly follow: boolean
  /** Creates a directory for a missing component; without it the search ends there. */
  readonly make?: (() => TreeNode) | undefined
  /** With `make`, whether a directory takes the place of something that is neither a directory nor a link. */
  readonly replaces?: ((node: TreeNode) => boolean) | undefined
  /**
   * Returns true if the search must end at an entry that is no directory, as if it were missing. `written` is the path
   * as it is written, until the first link is followed.
   */
  readonly isEnd?: ((node: TreeNode, written: string | undefined) => boolean) | undefined
  /** Returns the node to go on with in the place of a directory that is found, so that it may be changed. */
  readonly own?: ((parent: TreeNode, name: string, directory: TreeNode) => TreeNode) | undefined
  /** Throw if a component of the path is no directory; otherwise the result is `undefined`. */
  readonly strict?: boolean | undefined
  /** Is asked whether a link may be followed, given its target. */
  readonly mayFollow?: ((target: string) => boolean) | undefined
  /** The layer that asks, for errors. */
  readonly layer?: string | undefined
}

/** A resolved path. */
export interface Resolved {
  readonly node: TreeNode
  /** Real path without links; `.` for the root. */
  readonly path: string
  /** Parent directories, the root first. */
  readonly parents: readonly TreeNode[]
}

/**
 * Resolves a path as a process inside the root would: an absolute link starts at the root, and `..` stops there. Images
 * rely on it (`/var/run` leads to `/run`), and no link can leave the root.
 *
 * @returns `undefined` if the path does not exist.
 * @throws {@link RootfsError} `ERR_TOO_MANY_LINKS`; with `strict` `ERR_NOT_A_DIRECTORY`.
 */
export function resolvePath(root: TreeNode, path: string, options: ResolveOptions): Resolved | undefined {
  const parents: TreeNode[] = []
  const names: string[] = []
  let node = root
  let links = 0
  let steps = 0
  const fault = (code: RootfsErrorCode, why: string) => new RootfsError(code, why, { path, layer: options.layer })
  const rest = componentsOf(path).reverse()
  // The path as it is written, until the first link is followed.
  let written: string | undefined = ''
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (++steps > MAX_STEPS) throw fault('ERR_TOO_MANY_LINKS', 'symbolic links lead too far around')
    if (!isDirectory(node)) {
      if (!options.strict) return undefined
      throw fault('ERR_NOT_A_DIRECTORY', 'the path leads through something that is no directory')
    }
    if (name === '..') {
      node = parents.pop() ?? root
      names.pop()
      written = undefined
      continue
    }
    let child = node.children?.get(name)
    if (written !== undefined) written = written === '' ? name : `${written}/${name}`
    if (child && !isDirectory(child) && options.isEnd?.(child, written)) return undefined
    if (options.make && (!child || givesWay(child, options))) {
      child = options.make()
      setChild(node, name, child)
    }
    if (!child) return undefined
    if (options.own && isDirectory(child)) child = options.own(node, name, child)
    if (child.entry?.type === 'symlink' && (rest.length > 0 || options.follow)) {
      if (++links > MAX_LINKS) throw fault('ERR_TOO_MANY_LINKS', `more than ${MAX_LINKS} symbolic links on the way`)
      const target = child.entry.linkname ?? ''
      if (options.mayFollow?.(target) === false) {
        throw fault('ERR_TOO_MANY_LINKS', 'the entries of one layer lead through too many links')
      }
      if (target.startsWith('/')) {
        parents.length = 0
        names.length = 0
        node = root
      }
      for (const component of componentsOf(target).reverse()) rest.push(component)
      written = undefined
      continue
    }
    parents.push(node)
    names.push(name)
    node = child
  }
  return { node, path: names.join('/') || '.', parents }
}

/** Splits a path into components, without empty ones and `.`. */
export function componentsOf(path: string): string[] {
  return path.split('/').filter(component => component !== '' && component !== '.')
}

function givesWay(node: TreeNode, { replaces }: ResolveOptions): boolean {
  return !isDirectory(node) && node.entry?.type !== 'symlink' && (replaces?.(node) ?? false)
}
