import { RootfsError } from '../../errors/index.ts'
import type { SourceNode, SourceTree } from './source-tree.ts'

/** Linux allows 40 links on one path; images that other tools accept need more. */
const MAX_LINKS = 255
/** SAFETY: a few links with long targets could expand one path to billions of components. */
const MAX_STEPS = 16_384

/** Result of following a path. */
export interface ResolvedPath {
  /** Real path: without links as far as it exists; `.` for the root. */
  readonly path: string
  /** The node there; `undefined` if nothing exists. */
  readonly node: SourceNode | undefined
}

/** Members of a tree that following links needs. */
export type LookupTree = Pick<SourceTree, 'stat'>

/** Options of {@link resolveInTree}. */
export interface ResolveInTreeOptions {
  /** Follow a link at the end of the path. @defaultValue `true` */
  readonly follow?: boolean | undefined
  /** Real path of the directory that is the root for absolute links and `..`. @defaultValue the root of the tree */
  readonly root?: string | undefined
}

/**
 * Follows a path through the links of a tree as a process inside the root would: an absolute link begins at the root,
 * `..` stops there. What does not exist is taken as it is written, so that it can be created.
 *
 * SAFETY: `stat` of a tree follows no link itself, so nothing outside the root is ever looked at.
 *
 * @throws {@link RootfsError} `ERR_TOO_MANY_LINKS` for a loop.
 */
export function resolveInTree(tree: LookupTree, path: string, options: ResolveInTreeOptions = {}): ResolvedPath {
  const { follow = true, root = '.' } = options
  const names: string[] = []
  const rest = pathComponents(path).reverse()
  let links = 0
  let steps = 0
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (++steps > MAX_STEPS) throw tooManyLinks(path)
    if (name === '..') {
      names.pop()
      continue
    }
    names.push(name)
    if (rest.length === 0 && !follow) continue
    const node = tree.stat(joined(root, names))
    if (node?.type !== 'symlink') continue
    if (++links > MAX_LINKS) throw tooManyLinks(path)
    names.pop()
    const target = node.linkname ?? ''
    if (target.startsWith('/')) names.length = 0
    rest.push(...pathComponents(target).reverse())
  }
  const real = joined(root, names)
  return { path: real, node: tree.stat(real) }
}

/** Components of a path, without empty ones and `.`. */
export function pathComponents(path: string): string[] {
  return path.split('/').filter(component => component !== '' && component !== '.')
}

function joined(root: string, names: readonly string[]): string {
  if (names.length === 0) return root
  return root === '.' ? names.join('/') : `${root}/${names.join('/')}`
}

function tooManyLinks(path: string): RootfsError {
  return new RootfsError('ERR_TOO_MANY_LINKS', 'symbolic links lead round in circles', { path })
}
