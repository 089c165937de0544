import { FormatError } from '../errors/index.ts'
import { describeValue, invalidArgument } from './invalid-argument.ts'

/**
 * Refuses an options argument that is no object.
 *
 * @throws `FormatError` `ERR_INVALID_ARGUMENT`.
 */
export function assertOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidArgument('options', 'an object', options)
  }
}

/**
 * Refuses a value that has not the members that an act uses: a store of another library, or a promise of a store.
 *
 * @param expected - What the argument must be, such as `a store`.
 * @param members - Names of methods or of objects that it must have.
 * @throws `FormatError` `ERR_INVALID_ARGUMENT`.
 */
export function assertMembers(value: unknown, name: string, expected: string, members: readonly string[]): void {
  if (typeof value !== 'object' || value === null) throw invalidArgument(name, expected, value)
  const missing = members.find(key => !isPart((value as Record<string, unknown>)[key]))
  if (missing === undefined) return
  if ('then' in value) throw invalidArgument(name, expected, value)
  const message = `${name} must be ${expected}, is ${describeValue(value)} without ${missing}`
  throw new FormatError('ERR_INVALID_ARGUMENT', message)
}

function isPart(member: unknown): boolean {
  return typeof member === 'function' || (typeof member === 'object' && member !== null)
}

/**
 * Refuses a value that is none of those allowed.
 *
 * @throws `FormatError` `ERR_INVALID_ARGUMENT`.
 */
export function assertOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (!allowed.includes(value as string)) throw invalidArgument(name, `one of ${allowed.join(', ')}`, value)
}

/**
 * Refuses an optional text of another kind.
 *
 * @throws `FormatError` `ERR_INVALID_ARGUMENT`.
 */
export function assertOptionalText(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') throw invalidArgument(name, 'a text', value)
}

/**
 * Refuses an optional list of texts of another kind.
 *
 * @throws `FormatError` `ERR_INVALID_ARGUMENT`.
 */
export function assertOptionalTexts(name: string, value: unknown): void {
  if (value === undefined) return
  if (!Array.isArray(value)) throw invalidArgument(name, 'a list of texts', value)
  for (const [i, text] of value.entries()) {
    if (typeof text !== 'string') throw invalidArgument(`${name}[${i}]`, 'a text', text)
  }
}

/**
 * Refuses optional annotations of another kind.
 *
 * @throws `FormatError` `ERR_INVALID_ARGUMENT`.
 */
export function assertOptionalAnnotations(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(name, 'an object of texts', value)
  }
  for (const [key, text] of Object.entries(value)) {
    // A member that is undefined is left out when the document is written.
    if (text !== undefined && typeof text !== 'string')
      throw invalidArgument(`${name}[${JSON.stringify(key)}]`, 'a text', text)
  }
}
