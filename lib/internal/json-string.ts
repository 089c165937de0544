const UNESCAPED = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** JSON of a text. PERF: `JSON.stringify` takes three times as long where nothing needs an escape, as in most names. */
export function jsonString(text: string): string {
  return UNESCAPED.test(text) ? `"${text}"` : JSON.stringify(text)
}
