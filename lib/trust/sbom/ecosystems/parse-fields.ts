/**
 * Parses paragraphs of `Field: value` lines, separated by empty lines, as dpkg, apk and Python write them. The first
 * of several fields of one name counts; continued lines are ignored: the fields that are read here have one line.
 */
export function parseParagraphs(text: string): Map<string, string>[] {
  const paragraphs: Map<string, string>[] = []
  let current: Map<string, string> | undefined
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') {
      current = undefined
      continue
    }
    if (!current) {
      current = new Map()
      paragraphs.push(current)
    }
    const colon = line.indexOf(':')
    if (colon <= 0 || /^\s/.test(line)) continue
    const field = line.slice(0, colon)
    if (!current.has(field)) current.set(field, line.slice(colon + 1).trim())
  }
  return paragraphs
}
