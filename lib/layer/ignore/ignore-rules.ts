import { type IgnorePattern, parseIgnorePattern } from './ignore-pattern.ts'
import { matchesPathOrAbove } from './matches-pattern.ts'

/** Decisions of a list of ignore patterns. */
export interface IgnoreRules {
  /** Whether a path, relative to the directory, is left out. */
  ignores(path: string): boolean
  /** True if a `!` pattern may include a path below an ignored directory. */
  mayTakeBackBelow(path: string): boolean
}

/**
 * Rules from patterns in the order of an ignore file; the last one that says something of a path, or of a directory
 * above it, wins.
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
  const rules = patterns.flatMap(line => parseIgnorePattern(line) ?? [])
  const takenBack = rules.filter(({ negated }) => negated).map(literalStart)
  return {
    ignores: path => {
      let ignored = false
      for (const rule of rules) {
        if (rule.negated === ignored && matchesPathOrAbove(rule, path)) ignored = !rule.negated
      }
      return ignored
    },
    mayTakeBackBelow: path => takenBack.some(start => start === '' || overlap(`${start}/`, `${path}/`)),
  }
}

/**
 * The patterns in the text of a `.dockerignore` file: one to a line; lines that begin with `#` are comments.
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
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  return lines.filter(line => !line.startsWith('#') && line.trim() !== '').map(line => line.trim())
}

/** The names at the beginning of a pattern that have no meaning but themselves. */
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
