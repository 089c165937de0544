/** Formats a number with its noun, in the plural unless it is 1: `3 layers`. */
export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
