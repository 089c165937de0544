/** Result of reading a JSON form: the words, or why the valid array cannot be one. `undefined`: it is not JSON. */
export type JsonForm = { readonly words: readonly string[] } | { readonly fault: string } | undefined

/**
 * Reads operands as a JSON array of strings. Invalid JSON is no fault: the operands are then plain words, as in
 * BuildKit.
 */
export function readJsonForm(rest: string): JsonForm {
  if (!rest.startsWith('[')) return undefined
  // A text that begins with a bracket is an array, or invalid.
  let value: unknown[]
  try {
    value = JSON.parse(rest) as unknown[]
  } catch {
    return undefined
  }
  if (!value.every(item => typeof item === 'string')) return { fault: 'a JSON form may hold strings only' }
  // Go replaces lone surrogates.
  return { words: value.map(word => word.replace(/\p{Surrogate}/gu, '\ufffd')) }
}
