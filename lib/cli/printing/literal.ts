import { UsageError } from '../failing/usage-error.ts'

/**
 * Returns a text of a `--format` template that is printed as it is.
 *
 * @throws {@link UsageError} for an action without an end.
 */
export function literal(text: string): string {
  if (text.includes('{{')) throw new UsageError(`--format: {{ without }} in ${JSON.stringify(text)}`)
  return text
}
