import { UsageError } from '../failing/usage-error.ts'

/** Fields of comma-separated values, as `type=oci,dest=FILE`; a field in double quotes may hold commas. */
export function fieldsOf(flag: string, option: string, known: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>()
  for (const [, quoted, plain] of option.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)) {
    const field = quoted?.replaceAll('""', '"') ?? plain ?? ''
    if (field === '') continue
    const equals = field.indexOf('=')
    const written = field.slice(0, Math.max(0, equals)).trim()
    // Names behind a dot, as `annotation.org.Name`, keep their case.
    const name = written.replace(/^[^.]*/, head => head.toLowerCase())
    const isKnown = known.some(one => (one.endsWith('.') ? name.startsWith(one) : name === one))
    if (!isKnown) throw new UsageError(`${flag} takes ${known.join(', ')}, not ${field}`)
    fields.set(name, field.slice(equals + 1))
  }
  return fields
}
