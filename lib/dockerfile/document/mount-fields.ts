/** A field of `--mount`; `value` is absent if it has no `=`. */
export interface MountField {
  /** Key in lower case. */
  readonly key: string
  readonly value: string | undefined
  readonly text: string
}

/** Reads the value of `--mount`, a line of CSV, into fields; `undefined` if it is not CSV. */
export function readMountFields(value: string): MountField[] | undefined {
  const texts = readCsvLine(value)
  return texts?.map(text => {
    const equals = text.indexOf('=')
    if (equals < 0) return { key: text.toLowerCase(), value: undefined, text }
    return { key: text.slice(0, equals).toLowerCase(), value: text.slice(equals + 1), text }
  })
}

/** A field is plain and without quotes, or wholly quoted with doubled quotes inside. */
function readCsvLine(line: string): string[] | undefined {
  if (line === '') return undefined
  const fields: string[] = []
  for (let at = 0; ; at++) {
    if (line[at] === '"') {
      const match = /"((?:[^"]|"")*)"(?=,|$)/y
      match.lastIndex = at
      const found = match.exec(line)
      if (!found) return undefined
      fields.push(found[1]!.replaceAll('""', '"'))
      at = match.lastIndex
    } else {
      const comma = line.indexOf(',', at)
      const end = comma < 0 ? line.length : comma
      const field = line.slice(at, end)
      if (field.includes('"')) return undefined
      fields.push(field)
      at = end
    }
    if (at >= line.length) return fields
  }
}
