import type { BuildContext, ContextDecision } from '../../../build/index.ts'
import { openBuildContext } from '../../building/open-build-context.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { countOf } from '../../printing/count-of.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import type { Session } from '../../session/session.ts'

/** Options of `context ls`. */
export interface ContextLsOptions {
  readonly file?: string
  readonly why?: boolean
}

/** `context ACT [DIR]`. */
export async function contextCommand(
  session: Session,
  act: string,
  place: string,
  options: ContextLsOptions,
): Promise<void> {
  if (act !== 'ls') throw new UsageError(`no command context ${act}; the command is: context ls [DIR]`)
  await contextLs(session, place, options)
}

/**
 * `context ls [DIR] [--why]`: lists the files that a build may copy. With `--why` also those that are left out, each
 * with the line of the ignore file that decided. Reads the ignore file. If `--file` names a
 * Dockerfile, reads that too: a mistyped name is an error.
 */
async function contextLs(session: Session, place: string, options: ContextLsOptions): Promise<void> {
  const { listContext } = await import('../../../build/index.ts')
  const store = place === '-' ? await session.memoryStore() : undefined
  const { context, readDockerfile } = await openBuildContext(session, { context: place, file: options.file }, store)
  await using _context = context
  if (options.file !== undefined) await readDockerfile()
  const decisions = [...listContext(context)]
  const shown = options.why ? decisions : decisions.filter(({ included }) => included)
  session.result(options.why ? reasons(session, context, shown) : shown.map(nameOf), shown)
  const files = decisions.filter(({ included, type }) => included && type === 'file')
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  session.note(`${countOf(files.length, 'file')}, ${formatBytes(bytes)} in the context`)
}

function reasons(session: Session, { ignoreFile }: BuildContext, decisions: readonly ContextDecision[]): string[] {
  const rows = decisions.map(decision => [
    decision.included ? 'in' : 'out',
    nameOf(decision),
    decision.type === 'file' ? formatBytes(decision.size) : '-',
    reasonOf(decision, ignoreFile ?? 'ignore file'),
  ])
  return session.table(['', 'PATH', 'SIZE', 'WHY'], rows)
}

function reasonOf({ pattern, line, neededFor, notRead, included }: ContextDecision, ignoreFile: string): string {
  if (pattern === undefined) return 'no pattern matches'
  const by = `${ignoreFile}:${line} ${pattern}`
  if (neededFor) return `${by}, but something below it is in`
  return notRead && !included ? `${by}, with everything below it` : by
}

function nameOf({ path, type }: ContextDecision): string {
  return type === 'directory' ? `${path}/` : path
}
