import { printable } from './printable.ts'

/** One line, or several. A line is one line, whatever it holds. */
export type Lines = string | readonly string[]

/**
 * Writes lines for people.
 *
 * SAFETY: everything that people read goes through here, results, notes, progress, errors and logs; a test looks for writes that
 * do not. Only documents and files are written as they are (`manifest`, `config`, `cat`, `save`), and the moves of the cursor.
 */
export function printLines(stream: NodeJS.WritableStream, lines: Lines): void {
  const text = (typeof lines === 'string' ? [lines] : lines).map(line => `${printable(line)}\n`).join('')
  if (text !== '') stream.write(text)
}

/** Writes one JSON document in one line: it may be read on a terminal too. */
export function printJson(stream: NodeJS.WritableStream, value: unknown): void {
  stream.write(`${printable(JSON.stringify(value))}\n`)
}
