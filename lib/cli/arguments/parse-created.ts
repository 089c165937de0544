import { UsageError } from '../failing/usage-error.ts'
import { parseTime } from './parse-time.ts'

/**
 * Parses `--created` to the form of RFC 3339 that configs have.
 *
 * @throws {@link UsageError}
 */
export function parseCreated(text: string): string {
  const seconds = parseTime(text)
  if (seconds === undefined) throw new UsageError(`--created takes seconds or a date; got ${JSON.stringify(text)}`)
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
