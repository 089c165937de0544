/**
 * Returns what a terminal shows after a text: line ends, carriage returns, moves up, erasing, colours. Lines are not
 * wrapped, so a text with a line that is too long shows more than a real terminal.
 */
export function screenOf(text: string): string {
  const lines: string[] = ['']
  let [row, column] = [0, 0]
  for (const [part] of text.matchAll(/\u001b\[(\d*)[A-Za-z]|\r|\n|[^\u001b\r\n]+/g)) {
    const [, amount, act] = /^\u001b\[(\d*)([A-Za-z])$/.exec(part) ?? []
    if (act === 'A') row = Math.max(0, row - Number(amount || 1))
    else if (act === 'J') {
      lines.length = row + 1
      lines[row] = lines[row]!.slice(0, column)
    } else if (part === '\r') column = 0
    else if (part === '\n') {
      ;[row, column] = [row + 1, 0]
      if (row === lines.length) lines.push('')
    } else if (act === undefined) {
      const line = lines[row]!.padEnd(column)
      lines[row] = line.slice(0, column) + part + line.slice(column + part.length)
      column += part.length
    } else if (act !== 'm') throw new Error(`not a move that this screen knows: ${JSON.stringify(part)}`)
  }
  return lines.join('\n')
}
