import { trimSpaceStart } from '../expansion/character-classes.ts'
import { dockerfileFault, type NamedSource, quoted } from './dockerfile-fault.ts'
import type { Directive } from './document.ts'
import { type PhysicalLine, PhysicalLines } from './physical-lines.ts'

const NAMES: ReadonlySet<string> = new Set(['syntax', 'escape', 'check'])

/**
 * Reads the directives. Their zone begins in the first line and ends for good at the first line that is not a
 * directive.
 */
export function readDirectives(source: NamedSource): Directive[] {
  refuseOtherLanguages(source)
  const directives: Directive[] = []
  for (const found of zone(new PhysicalLines(source.source))) {
    if (directives.some(({ name }) => name === found.name)) {
      throw dockerfileFault(source, found.position, `duplicate ${found.name} directive: only one is allowed`)
    }
    if (found.name === 'escape' && found.value !== '\\' && found.value !== '`') {
      throw dockerfileFault(source, found.position, `escape directive ${quoted(found.value)} is neither \` nor \\`)
    }
    directives.push(found)
  }
  return directives.length > 0 ? directives : syntaxBehindShebang(source)
}

/** The directives from the next line on. */
function* zone(lines: PhysicalLines): Generator<Directive> {
  for (let line = lines.next(); line; line = lines.next()) {
    const directive = directiveOf(line, '#')
    if (!directive) return
    yield directive
  }
}

/** SPEC: only `syntax` also counts behind a first line that starts with `#!`. */
function syntaxBehindShebang({ source }: NamedSource): Directive[] {
  const lines = new PhysicalLines(source)
  if (!lines.next()?.text.startsWith('#!')) return []
  return [...zone(lines)].filter(({ name }) => name === 'syntax').slice(0, 1)
}

/** Refuses files of other front ends, which name theirs as `// syntax=`. */
function refuseOtherLanguages(source: NamedSource): void {
  const lines = new PhysicalLines(source.source)
  const first = lines.next()
  const line = first?.text.startsWith('#!') ? lines.next() : first
  const directive = line && directiveOf(line, '//')
  if (directive?.name !== 'syntax') return
  const message = `this is no Dockerfile but a file for the front end ${quoted(directive.value)}`
  throw dockerfileFault(source, directive.position, message, { code: 'ERR_DOCKERFILE_UNSUPPORTED' })
}

function directiveOf({ text, number, cut }: PhysicalLine, comment: string): Directive | undefined {
  const trimmed = trimSpaceStart(text)
  if (!trimmed.startsWith(comment)) return undefined
  const body = trimSpaceStart(trimmed.slice(comment.length))
  const match = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.*)$/s.exec(body)
  const name = match?.[1]?.toLowerCase()
  const value = match?.[2]?.replace(/[\t\n\f\r ]+$/, '')
  if (name === undefined || !value || !NAMES.has(name)) return undefined
  const column = cut + text.length - trimmed.length + 1
  return { name: name as Directive['name'], value, position: { line: number, column, endLine: number } }
}
