/**
 * Parses a time to seconds since 1970: a number of seconds, or a date with or without a time. A date without a zone is
 * UTC, so that the same option means the same on every machine. `undefined` for any other text.
 */
export function parseTime(text: string): number | undefined {
  if (/^-?\d{1,12}$/.test(text)) return Number(text)
  const [, day, time = 'T00:00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(?::\d\d)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? []
  const seconds = Date.parse(`${day}${time.replace(' ', 'T')}${zone}`) / 1000
  return Number.isFinite(seconds) ? seconds : undefined
}
