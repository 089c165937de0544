/** Longest text that suggestions are made for. */
const LONGEST = 64

/** Returns `did you mean X?` for the known word nearest to a text, or `undefined` if none is near. */
export function didYouMean(text: string, known: Iterable<string>): string | undefined {
  if (text.length > LONGEST) return undefined
  let best: string | undefined
  let least = Math.max(2, Math.floor(text.length / 3)) + 1
  for (const word of known) {
    const distance = editDistance(text.toLowerCase(), word.toLowerCase(), least)
    if (distance < least && distance < word.length) {
      best = word
      least = distance
    }
  }
  return best === undefined || best === text ? undefined : `did you mean ${best}?`
}

/** Number of characters to insert, remove or replace; a number of at least `limit` if it is too large. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
