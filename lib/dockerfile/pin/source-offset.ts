import type { Position } from '../document/document.ts'

/** Offset of a position in the text, in UTF-16 units. */
export function sourceOffset(source: string, { line, column }: Pick<Position, 'line' | 'column'>): number {
  let start = 0
  for (let passed = 1; passed < line; passed++) start = source.indexOf('\n', start) + 1
  return start + column - 1
}
