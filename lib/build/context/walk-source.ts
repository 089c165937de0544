import type { SourceNode, SourceTree } from './source-tree.ts'

/**
 * Yields everything below a directory of a tree, each directory before its content, names in byte order. Links are not
 * followed.
 *
 * @param skips - Returns true for a directory whose content is not wanted.
 */
export function* walkSource(
  tree: Pick<SourceTree, 'list'>,
  directory: string,
  skips: (node: SourceNode) => boolean = () => false,
): Generator<SourceNode, void, undefined> {
  // An explicit stack: the depth of a tree is the choice of its author.
  const open = [[...tree.list(directory)].reverse()]
  for (let rest = open.at(-1); rest; rest = open.at(-1)) {
    const node = rest.pop()
    if (!node) {
      open.pop()
      continue
    }
    yield node
    if (node.type === 'directory' && !skips(node)) open.push([...tree.list(node.path)].reverse())
  }
}
