import { BuildError } from '../../errors/index.ts'
import { type LookupTree, resolveInTree } from '../context/resolve-in-tree.ts'

/**
 * Returns the directories that must be created for a path to be a directory, parents first, as real paths: links are
 * followed inside the root filesystem.
 *
 * @throws {@link BuildError} `ERR_BUILD_COPY_CONFLICT` if a part of the path is no directory.
 */
export function missingDirectories(path: string, tree: LookupTree): string[] {
  const names = resolveInTree(tree, path)
    .path.split('/')
    .filter(name => name !== '.')
  const missing: string[] = []
  for (const i of names.keys()) {
    const here = names.slice(0, i + 1).join('/')
    const node = tree.stat(here)
    if (!node) missing.push(here)
    else if (node.type !== 'directory') {
      const problem = `${JSON.stringify(path)} leads through ${JSON.stringify(`/${here}`)}, which is no directory`
      throw new BuildError('ERR_BUILD_COPY_CONFLICT', problem, { path })
    }
  }
  return missing
}
