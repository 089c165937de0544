import { type IgnorePattern, parseIgnorePattern } from './ignore-pattern.ts'
import { matchLevels } from './matches-pattern.ts'

/** Decisions of a list of ignore patterns. */
export interface IgnoreRules {
  /** True if a path, relative to the directory, is excluded. */
  ignores(path: string): boolean
  /**
   * Index, in the list of patterns, of the last pattern that changed the decision about a path; `undefined` if no
   * pattern matches the path.
   */
  decidedBy(path: string): number | undefined
  /** True if a `!` pattern may include a path below an ignored directory. */
  mayTakeBackBelow(path: string): boolean
}

/**
 * Creates rules from patterns, in the order of an ignore file. The last pattern that matches a path, or one of its
 * parent directories, decides. A `!` pattern counts for what is in a directory only if it took the directory itself
 * back, or if it matches the path: after `docs/*.md`, `!docs` does not include `docs/a.md`, and `!docs/**` does.
 *
 * @example
 * ```ts
 * const rules = createIgnoreRules(['node_modules', '!node_modules/left'])
 * rules.ignores('node_modules/right/index.js') // true
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a malformed pattern.
 */
export function createIgnoreRules(patterns: readonly string[]): IgnoreRules {
  const rules = patterns.flatMap((line, index) => {
    const pattern = parseIgnorePattern(line)
    return pattern ? [{ ...pattern, index }] : []
  })
  const takenBack = rules.filter(({ negated }) => negated).map(literalStart)
  const lastOf = (path: string) => lastRule(rules, path)
  return {
    ignores: path => lastOf(path)?.negated === false,
    decidedBy: path => lastOf(path)?.index,
    mayTakeBackBelow: path => takenBack.some(start => start === '' || overlap(`${start}/`, `${path}/`)),
  }
}

/**
 * The last rule that changes the decision about a path.
 *
 * SPEC: as BuildKit walks a context: what a rule did to a directory holds for everything in it, and a rule that could
 * not change the decision about the directory is compared only with the path below it, not with the directory again.
 */
function lastRule<Rule extends IgnorePattern>(rules: readonly Rule[], path: string): Rule | undefined {
  const levels: boolean[][] = []
  const holds: boolean[] = []
  const depth = path.split('/').length
  let last: Rule | undefined
  for (let level = 0; level < depth; level++) {
    last = undefined
    for (const [i, rule] of rules.entries()) {
      const ignored: boolean = last !== undefined && !last.negated
      if (rule.negated !== ignored) continue
      levels[i] ??= matchLevels(rule, path)
      holds[i] ||= levels[i][level] ?? false
      if (holds[i]) last = rule
    }
  }
  return last
}

/**
 * Parses the text of a `.dockerignore` file into patterns: one per line; lines that begin with `#` are comments.
 *
 * @example
 * ```ts
 * const ignore = parseIgnoreFile(await readFile('.dockerignore', 'utf8'))
 * const layer = await writeLayer(store, fromDirectory('.', { at: '/app', ignore }))
 * ```
 *
 * @see {@link https://docs.docker.com/build/concepts/context/#dockerignore-files | Docker: .dockerignore files}
 */
export function parseIgnoreFile(text: string): string[] {
  return parseIgnoreLines(text).map(({ pattern }) => pattern)
}

/** A pattern of an ignore file and its line, counted from 1. */
export interface IgnoreLine {
  /** The pattern. */
  readonly pattern: string
  /** Line, counted from 1. */
  readonly line: number
}

/** Parses the text of a `.dockerignore` file like {@link parseIgnoreFile}, and keeps the line of each pattern. */
export function parseIgnoreLines(text: string): IgnoreLine[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  return lines.flatMap((text, i) => {
    const pattern = text.trim()
    return text.startsWith('#') || pattern === '' ? [] : [{ pattern, line: i + 1 }]
  })
}

/** The leading names of a pattern that have no special character. */
function literalStart({ tokens, text }: IgnorePattern): string {
  if (tokens.every(token => token.kind === 'character')) return text.replaceAll('\\', '')
  const plain = tokens.findIndex(token => token.kind !== 'character')
  const start = tokens.slice(0, plain).map(token => (token.kind === 'character' ? token.character : ''))
  const slash = start.lastIndexOf('/')
  return start.slice(0, Math.max(0, slash)).join('')
}

function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a)
}
