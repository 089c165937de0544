import { isSpace, trimSpace } from '../expansion/character-classes.ts'
import { dockerfileFault, type NamedSource } from './dockerfile-fault.ts'
import { LogicalLine } from './logical-line.ts'
import { isTooLong, LONGEST_LINE, type PhysicalLine, PhysicalLines } from './physical-lines.ts'

/** One instruction as a logical line, with what surrounds it. */
export interface InstructionLine {
  readonly line: LogicalLine
  readonly comments: readonly string[]
  readonly blankLines: readonly number[]
}

/** PERF: most instructions have no comments and no blank lines. */
const NONE: never[] = []

/** Joins physical lines into logical ones. */
export class LineReader {
  readonly #lines: PhysicalLines
  readonly #source: NamedSource
  readonly #continued: RegExp

  constructor(source: NamedSource, escapeCharacter: '\\' | '`') {
    this.#lines = new PhysicalLines(source.source)
    this.#source = source
    // SPEC: two escapes at the end of a line do not continue it.
    this.#continued = escapeCharacter === '`' ? /(^|[^`])`[ \t]*$/ : /(^|[^\\])\\[ \t]*$/
  }

  /** Number of the line that was read last. */
  get lineNumber(): number {
    return this.#lines.number
  }

  /** Reads the next instruction; `undefined` at the end of the file. */
  next(): InstructionLine | undefined {
    let comments: string[] = NONE
    for (let first = this.take(); first; first = this.take()) {
      const text = first.text.slice(leadingSpace(first.text))
      if (text.startsWith('#')) {
        const comment = trimSpace(text.slice(1))
        if (comment === '') comments = NONE
        else if (comments === NONE) comments = [comment]
        else comments.push(comment)
      } else if (text !== '') {
        return this.#joined(first, text, comments)
      }
    }
    return undefined
  }

  /** Reads the next physical line. */
  take(): PhysicalLine | undefined {
    const line = this.#lines.next()
    if (!line || !isTooLong(line)) return line
    const position = { line: line.number, column: 1, endLine: line.number }
    throw dockerfileFault(this.#source, position, `line longer than ${LONGEST_LINE} bytes`)
  }

  #joined(first: PhysicalLine, text: string, comments: readonly string[]): InstructionLine {
    let kept = this.#withoutEscape(text)
    const line = new LogicalLine(kept ?? text, first.number, first.cut + first.text.length - text.length + 1)
    let blankLines: number[] = NONE
    while (kept !== undefined) {
      const next = this.take()
      if (!next) break
      const start = leadingSpace(next.text)
      if (next.text[start] === '#') continue
      if (start === next.text.length) {
        if (blankLines === NONE) blankLines = []
        blankLines.push(next.number)
        continue
      }
      kept = this.#withoutEscape(next.text)
      line.append(kept ?? next.text, next.number)
    }
    return { line, comments, blankLines }
  }

  /** The text before the escape that continues the line; `undefined` if the line ends here. */
  #withoutEscape(text: string): string | undefined {
    const match = this.#continued.exec(text)
    return match ? text.slice(0, match.index + match[1]!.length) : undefined
  }
}

function leadingSpace(text: string): number {
  let start = 0
  while (start < text.length && isSpace(text[start]!)) start++
  return start
}
