import { UsageError } from '../failing/usage-error.ts'

/** Returns an argument that must not be empty, as it is if a variable of a script is not set. */
export function notEmpty(text: string, what: string): string {
  if (text === '') throw new UsageError(`${what} is empty`)
  return text
}
