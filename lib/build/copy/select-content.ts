import { createIgnoreRules, type IgnoreRules } from '../../layer/index.ts'
import type { SourceNode, SourceTree } from '../context/source-tree.ts'
import { walkSource } from '../context/walk-source.ts'
import type { SelectedNode } from './source-match.ts'

/** Selection of the content of a directory. */
export interface SelectContentOptions {
  /** Pattern of the paths to copy, with the directories on the way (`--parents`); absent: everything. */
  readonly include?: string | undefined
  /** Patterns of `--exclude`. */
  readonly excludes?: IgnoreRules | undefined
}

/**
 * Selects the content of a directory that a COPY takes. A directory that is not selected itself is there if something
 * selected is below it.
 */
export function selectContent(
  tree: SourceTree,
  directory: SourceNode,
  { include, excludes }: SelectContentOptions,
): SelectedNode[] {
  const prefix = directory.path === '.' ? 0 : directory.path.length + 1
  const included = include === undefined || include === '' ? undefined : createInclusion(include)
  const skips = (node: SourceNode) => {
    const path = node.path.slice(prefix)
    if (included && !included.takes(path) && !included.mayTakeBelow(path)) return true
    return excludes?.ignores(path) === true && !excludes.mayTakeBackBelow(path)
  }
  const selected: SelectedNode[] = []
  /** Directories on the way to the current path that are not selected yet. */
  const held: SelectedNode[] = []
  for (const node of walkSource(tree, directory.path, skips)) {
    const path = node.path.slice(prefix)
    while (held.length > 0 && !path.startsWith(`${held.at(-1)!.path}/`)) held.pop()
    const isTaken = (!included || included.takes(path)) && !excludes?.ignores(path)
    if (isTaken) {
      if (held.length > 0) selected.push(...held.splice(0))
      selected.push({ path, node })
    } else if (node.type === 'directory') held.push({ path, node })
  }
  return selected
}

interface Inclusion {
  takes(path: string): boolean
  mayTakeBelow(path: string): boolean
}

/** A pattern has the syntax of an ignore file; the slash takes away the meaning of a `!` at the beginning. */
function createInclusion(pattern: string): Inclusion {
  const rules = createIgnoreRules([`/${pattern}`])
  const back = createIgnoreRules([`!/${pattern}`])
  return { takes: path => rules.ignores(path), mayTakeBelow: path => back.mayTakeBackBelow(path) }
}
