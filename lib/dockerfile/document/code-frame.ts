/** Lines shown before and after the line at fault. */
const AROUND = 2
/** SAFETY: a line may have 65,535 characters; a terminal shows so many of each. */
const WIDEST = 120

/**
 * Cuts the lines round a place out of a text, with line numbers, a mark before the line and one below the column.
 *
 * @internal
 */
export function codeFrame(source: string, line: number, column: number | undefined): string {
  const lines = linesRound(source, line)
  const last = lines.at(-1)?.number ?? line
  const width = String(last).length
  return lines
    .flatMap(({ number, text }) => {
      const at = number === line
      const from = at && column !== undefined && column > WIDEST - 20 ? column - 20 : 0
      const shown = `${at ? '>' : ' '} ${String(number).padStart(width)} | ${shownText(text.slice(from, from + WIDEST))}`
      if (!at || column === undefined) return [shown.trimEnd()]
      const before = shownText(text.slice(from, column - 1)).length
      return [shown.trimEnd(), `  ${' '.repeat(width)} | ${' '.repeat(before)}^`]
    })
    .join('\n')
}

function linesRound(source: string, line: number): { number: number; text: string }[] {
  const found: { number: number; text: string }[] = []
  let start = 0
  for (let number = 1; number <= line + AROUND && start <= source.length; number++) {
    const feed = source.indexOf('\n', start)
    const end = feed < 0 ? source.length : feed
    if (number >= line - AROUND && (start < source.length || number === line)) {
      found.push({ number, text: source.slice(start, end).replace(/\r+$/, '') })
    }
    start = end + 1
  }
  return found
}

/** SAFETY: control characters of a file could fake lines and colours of a terminal. A tab is one column here. */
function shownText(text: string): string {
  return text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g, character =>
    character === '\t' ? ' ' : '\ufffd',
  )
}
