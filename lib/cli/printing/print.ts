import { printable } from './printable.ts'

/** One line, or several. A string is always printed as one line. */
export type Lines = string | readonly string[]

/**
 * Writes lines of text.
 *
 * SAFETY: results, notes, progress, errors and logs contain text from images and registries, which could hold escape
 * sequences. All of it is written through this function, which escapes them; a test finds writes that do not. Only
 * documents and files (`manifest`, `config`, `cat`, `save`) and the cursor movements of the display are written
 * unescaped.
 */
export function printLines(stream: NodeJS.WritableStream, lines: Lines): void {
  const text = (typeof lines === 'string' ? [lines] : lines).map(line => `${printable(line)}\n`).join('')
  if (text !== '') stream.write(text)
}

/** Writes one JSON document on one line, escaped for terminals. */
export function printJson(stream: NodeJS.WritableStream, value: unknown): void {
  stream.write(`${printable(JSON.stringify(value))}\n`)
}

/** Styles of a line, by their code of SGR. */
const STYLES = { dim: 2, green: 32 } as const

/** Name of a style of a line on a terminal. */
export type Style = keyof typeof STYLES

/** Writes one line in a style to a terminal that has colours; its text is escaped as by {@link printLines}. */
export function printStyled(stream: NodeJS.WritableStream, style: Style, line: string): void {
  stream.write(`\u001b[${STYLES[style]}m${printable(line)}\u001b[0m\n`)
}
