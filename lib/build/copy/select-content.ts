import { createIgnoreRules, type IgnoreRules } from '../../layer/index.ts'
import type { SourceNode, SourceTree } from '../context/source-tree.ts'
import { walkSource } from '../context/walk-source.ts'
import { pathBelow } from './source-match.ts'

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
): SourceNode[] {
  // PERF: a path for each of tens of thousands of nodes, which no pattern is compared with.
  if (!include && !excludes) return [...walkSource(tree, directory.path)]
  const included = include === undefined || include === '' ? undefined : createInclusion(include)
  const skips = (node: SourceNode) => {
    const path = pathBelow(directory, node)
    if (included && !included.takes(path) && !included.mayTakeBelow(path)) return true
    return excludes?.ignores(path) === true && !excludes.mayTakeBackBelow(path)
  }
  const selected: SourceNode[] = []
  /** Directories on the way to the current path that are not selected yet. */
  const held: SourceNode[] = []
  for (const node of walkSource(tree, directory.path, skips)) {
    const path = pathBelow(directory, node)
    while (held.length > 0 && !node.path.startsWith(`${held.at(-1)!.path}/`)) held.pop()
    const isTaken = (!included || included.takes(path)) && !excludes?.ignores(path)
    if (isTaken) {
      if (held.length > 0) selected.push(...held.splice(0))
      selected.push(node)
    } else if (node.type === 'directory') held.push(node)
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
