const NEWLINE = 0x0a
const PIECE_BYTES = 64 * 1024

/** Lines of one text that another one does not have, without the commas at their ends. */
export interface ChangedLines {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/**
 * Finds the lines that only one of two texts has. Only the part between the first and the last difference is cut into
 * lines, so texts that differ in one place cost no more than a comparison of their bytes.
 */
export function changedLines(before: Uint8Array, after: Uint8Array): ChangedLines {
  const start = lineStart(before, equalBytes(before, after))
  const end = lineEnd(before, after, start)
  const old = linesOf(before.subarray(start, before.byteLength - end))
  const now = linesOf(after.subarray(start, after.byteLength - end))
  const [known, present] = [new Set(old), new Set(now)]
  return { before: old.filter(line => !present.has(line)), after: now.filter(line => !known.has(line)) }
}

/** Number of equal bytes at the start. */
function equalBytes(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.byteLength, b.byteLength)
  let at = 0
  while (at + PIECE_BYTES <= most && equal(a, b, [at, at], PIECE_BYTES)) at += PIECE_BYTES
  while (at < most && a[at] === b[at]) at++
  return at
}

/** Number of bytes of equal lines at the end, behind `start`. */
function lineEnd(a: Uint8Array, b: Uint8Array, start: number): number {
  const most = Math.min(a.byteLength, b.byteLength) - start
  const tail = (length: number): [number, number] => [a.byteLength - length, b.byteLength - length]
  let length = 0
  while (length + PIECE_BYTES <= most && equal(a, b, tail(length + PIECE_BYTES), PIECE_BYTES)) length += PIECE_BYTES
  while (length < most && a[a.byteLength - length - 1] === b[b.byteLength - length - 1]) length++
  // The equal bytes may begin inside a line.
  const newline = a.subarray(a.byteLength - length).indexOf(NEWLINE)
  return newline < 0 ? 0 : length - newline
}

function equal(a: Uint8Array, b: Uint8Array, [atA, atB]: readonly [number, number], length: number): boolean {
  return Buffer.compare(a.subarray(atA, atA + length), b.subarray(atB, atB + length)) === 0
}

function lineStart(text: Uint8Array, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf(NEWLINE, at - 1) + 1
}

function linesOf(text: Uint8Array): string[] {
  const lines = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8').split('\n')
  return lines.map(line => (line.endsWith(',') ? line.slice(0, -1) : line)).filter(line => line.startsWith('{'))
}
