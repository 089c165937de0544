import type { Instruction } from '../../document/document.ts'
import type { Scope } from '../scope.ts'

/** One `name[=default]` of ARG. */
export interface DeclaredArgument {
  readonly name: string
  readonly value: string | undefined
}

/** Splits a word of ARG. */
export function declaredArgument(text: string): DeclaredArgument {
  const equals = text.indexOf('=')
  if (equals < 0) return { name: text, value: undefined }
  return { name: text.slice(0, equals), value: text.slice(equals + 1) }
}

/**
 * Evaluates the ARG instructions before the first FROM: each sees those before it. A build argument wins over a
 * default.
 */
export function globalArguments(
  globals: readonly Instruction[],
  automatic: ReadonlyMap<string, string>,
  buildArgs: ReadonlyMap<string, string>,
  scope: Scope,
): { values: ReadonlyMap<string, string>; declared: ReadonlySet<string> } {
  const values = new Map(automatic)
  const declared = new Set<string>()
  for (const word of globals.flatMap(({ words }) => words)) {
    const { name, value } = declaredArgument(word.text)
    declared.add(name)
    const given = buildArgs.get(name)
    if (given !== undefined) values.set(name, given)
    else if (value !== undefined) {
      values.set(name, scope.expand(value, word.position, { lookup: variable => values.get(variable) }).text)
    }
  }
  return { values, declared }
}
