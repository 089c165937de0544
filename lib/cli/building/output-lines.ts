import { stripVTControlCharacters } from 'node:util'

/** SAFETY: a command may write without ever ending a line; longer lines are cut. */
const MOST_BYTES = 8192

/** Cuts the output of commands that run at once into lines. */
export class OutputLines {
  readonly #rest = new Map<string, Buffer>()

  /** Adds what a command wrote, and returns the lines that are whole. */
  add(id: string, chunk: Uint8Array): string[] {
    const bytes = Buffer.concat([this.#rest.get(id) ?? Buffer.alloc(0), chunk])
    const lines: string[] = []
    let begun = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begun)) {
      lines.push(textOf(bytes.subarray(begun, end)))
      begun = end + 1
    }
    while (bytes.length - begun > MOST_BYTES) {
      lines.push(textOf(bytes.subarray(begun, begun + MOST_BYTES)))
      begun += MOST_BYTES
    }
    this.#rest.set(id, bytes.subarray(begun))
    return lines
  }

  /** Ends the output of a command, and returns its last line if no line feed ended it. */
  end(id: string): string[] {
    const rest = this.#rest.get(id)
    this.#rest.delete(id)
    return rest && rest.length > 0 ? [textOf(rest)] : []
  }
}

/** Blanks up to the next column that is a multiple of this, for a tab. */
const TAB = 8

/** The text that a terminal would show in the end: without colours, and of a progress bar its last state. */
function textOf(line: Buffer): string {
  const text = stripVTControlCharacters(line.toString('utf8')).replace(/\r+$/, '')
  const [first = '', ...more] = text.slice(text.lastIndexOf('\r') + 1).split('\t')
  return more.reduce((left, right) => left.padEnd((Math.floor(left.length / TAB) + 1) * TAB) + right, first)
}
