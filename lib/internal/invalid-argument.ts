import { FormatError } from '../errors/index.ts'

/** Longest quoted part of a value. */
const SHOWN = 80

/**
 * The error for an argument of a wrong kind. TypeScript refuses such a call; JavaScript does not.
 *
 * @param name - Name of the argument or option, such as `layers[0].diffId`.
 * @param expected - What it must be, as a noun phrase.
 */
export function invalidArgument(name: string, expected: string, actual: unknown): FormatError {
  return new FormatError('ERR_INVALID_ARGUMENT', `${name} must be ${expected}, is ${describeValue(actual)}`)
}

/** Describes a value in an error: its kind, and the value of a text or a number. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, SHOWN))}`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return `${value}`
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'object') return `a ${typeof value}`
  if (typeof (value as { then?: unknown }).then === 'function') return 'a Promise: write await before it'
  const name = Object.getPrototypeOf(value)?.constructor?.name
  return typeof name === 'string' && name !== 'Object' && name !== '' ? `an object of class ${name}` : 'an object'
}
