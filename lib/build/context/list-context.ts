import { createIgnoreRules } from '../../layer/index.ts'
import type { TarEntryType } from '../../tar/index.ts'
import type { BuildContext } from './build-context.ts'
import { walkSource } from './walk-source.ts'

/** A path of a context, and the pattern of the ignore file that decided about it. */
export interface ContextDecision {
  /** Path inside the context. */
  readonly path: string
  /** Type of the entry. */
  readonly type: TarEntryType
  /** Size in bytes; 0 except for files. */
  readonly size: number
  /** True if the path is part of the context. */
  readonly included: boolean
  /** Last pattern that changed the decision, as it is written; absent if no pattern matches the path. */
  readonly pattern?: string | undefined
  /** Line of the pattern in the ignore file, from 1. */
  readonly line?: number | undefined
  /** Set on an ignored directory that is part of the context because an included path is below it. */
  readonly neededFor?: 'an included path' | undefined
  /** Set on an ignored directory that was not looked into: nothing below it can be included. */
  readonly notRead?: true | undefined
}

/**
 * Yields every path of a context with the reason why it is in or out. An ignored directory is not looked into unless a
 * `!` pattern may include something below it; then `notRead` is absent.
 *
 * @throws {@link SourceError} `ERR_SOURCE_CHANGED`, `ERR_SOURCE_READ`.
 */
export function* listContext(context: BuildContext): Generator<ContextDecision, void, undefined> {
  const rules = createIgnoreRules(context.ignoreLines.map(({ pattern }) => pattern))
  const skips = (path: string) => rules.ignores(path) && !rules.mayTakeBackBelow(path)
  for (const { path, type, size } of walkSource(context.wholeTree, '.', node => skips(node.path))) {
    const ignored = rules.ignores(path)
    const included = !ignored || context.tree.stat(path) !== undefined
    const decidedBy = rules.decidedBy(path)
    const by = decidedBy === undefined ? undefined : context.ignoreLines[decidedBy]
    yield {
      ...{ path, type, size, included },
      ...(by && { pattern: by.pattern, line: by.line }),
      ...(ignored && included && { neededFor: 'an included path' as const }),
      ...(type === 'directory' && skips(path) && { notRead: true as const }),
    }
  }
}
