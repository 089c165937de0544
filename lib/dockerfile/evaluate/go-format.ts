const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
])

/** Formats words as Go's `%q` does: `["a" "b"]`. */
export function goQuotedList(words: readonly string[]): string {
  return `[${words.map(goQuoted).join(' ')}]`
}

/** Formats words as Go's `%v` does: `[a b]`. */
export function goList(words: readonly string[]): string {
  return `[${words.join(' ')}]`
}

function goQuoted(word: string): string {
  return `"${Array.from(word, goEscaped).join('')}"`
}

function goEscaped(character: string): string {
  const known = ESCAPES.get(character)
  if (known !== undefined) return known
  if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) return character
  const code = character.codePointAt(0)!
  const hex = (width: number) => code.toString(16).padStart(width, '0')
  if (code < 0x80) return `\\x${hex(2)}`
  return code < 0x1_0000 ? `\\u${hex(4)}` : `\\U${hex(8)}`
}

/** Formats nanoseconds as Go's durations: `1m30s`, `1.5ms`, `0s`. */
export function goDuration(nanoseconds: number): string {
  if (nanoseconds < 0) return `-${goDuration(-nanoseconds)}`
  if (nanoseconds === 0) return '0s'
  if (nanoseconds < 1e3) return `${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${fraction(nanoseconds, 1e3)}µs`
  if (nanoseconds < 1e9) return `${fraction(nanoseconds, 1e6)}ms`
  const hours = Math.floor(nanoseconds / 3600e9)
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9)
  const seconds = `${fraction(nanoseconds % 60e9, 1e9)}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

/** A quotient with as many decimals as it needs. */
function fraction(amount: number, unit: number): string {
  const digits = String(Math.round(amount % unit))
    .padStart(Math.log10(unit), '0')
    .replace(/0+$/, '')
  return `${Math.floor(amount / unit)}${digits === '' ? '' : `.${digits}`}`
}
