import { FormatError, type FormatErrorCode } from '../errors/index.ts'
import { JsonFault, parseStrictJson } from '../internal/strict-json.ts'
import { Limits } from './limits.ts'

/** A parsed JSON object; its members are `unknown` until a guard has checked them. */
export type JsonObject = { readonly [key: string]: unknown }

/** Checks one document. Every error names the document and the path of the fault. */
export class Guard {
  readonly #code: FormatErrorCode
  readonly #what: string

  constructor(code: FormatErrorCode, what: string) {
    this.#code = code
    this.#what = what
  }

  fail(at: string, message: string, cause?: unknown): never {
    throw new FormatError(this.#code, `invalid ${this.#what}: ${message}`, { at, cause })
  }

  /** Parses the text of the document, which must be an object. */
  parse(bytes: Uint8Array): JsonObject {
    try {
      return this.object(parseStrictJson(bytes, Limits.jsonDepth), '')
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error
      return this.fail(`byte ${error.position}`, error.message, error)
    }
  }

  object(value: unknown, at: string): JsonObject {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      return this.fail(at, `must be an object, is ${kindOf(value)}`)
    }
    return value as JsonObject
  }

  array(value: unknown, at: string, limit: number = Number.POSITIVE_INFINITY): readonly unknown[] {
    if (!Array.isArray(value)) return this.fail(at, `must be an array, is ${kindOf(value)}`)
    if (value.length > limit) return this.fail(at, `has ${value.length} members, more than ${limit}`)
    return value
  }

  string(value: unknown, at: string): string {
    if (typeof value !== 'string') return this.fail(at, `must be a string, is ${kindOf(value)}`)
    return value
  }

  /** Returns an optional array; an absent member or `null` gives an empty one. */
  optionalArray(value: unknown, at: string, limit?: number): readonly unknown[] {
    return isAbsent(value) ? [] : this.array(value, at, limit)
  }

  optionalString(value: unknown, at: string): void {
    if (!isAbsent(value)) this.string(value, at)
  }

  optionalStrings(value: unknown, at: string): void {
    if (!isAbsent(value)) this.strings(value, at)
  }

  optionalStringMap(value: unknown, at: string): void {
    if (!isAbsent(value)) this.stringMap(value, at)
  }

  strings(value: unknown, at: string): readonly string[] {
    return this.array(value, at).map((member, i) => this.string(member, `${at}[${i}]`))
  }

  /** Checks an object with string values only, such as annotations and labels. */
  stringMap(value: unknown, at: string): void {
    for (const [key, member] of Object.entries(this.object(value, at))) this.string(member, `${at}.${key}`)
  }

  /**
   * Rejects a document that omits a member and has another that a reader may mistake for it.
   *
   * SAFETY: Go reads `Layers` as `layers`, and a JavaScript reader may find the members of `__proto__`. Two readers
   * would then see two different images under one digest.
   */
  noLookalike(object: JsonObject, key: string): void {
    if (!isAbsent(member(object, key))) return
    const other = Object.keys(object).find(own => own !== key && (own.toLowerCase() === key || own === '__proto__'))
    if (other !== undefined) this.fail(key, `is missing, and ${JSON.stringify(other)} does not replace it`)
  }

  schemaVersion2(value: unknown): void {
    if (value !== 2) this.fail('schemaVersion', `must be 2, is ${JSON.stringify(value) ?? 'missing'}`)
  }
}

/** Returns an own member of an object; inherited members (`__proto__`, `constructor`) do not count. */
export function member(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/**
 * Returns the object without those of the given optional members that are `null`. Parsers return documents in this
 * form: a default value in a reader's code replaces `undefined`, but not `null`, and the types of the documents have no
 * `null`.
 */
export function withoutNulls(object: JsonObject, optional: readonly string[]): JsonObject {
  if (!optional.some(key => member(object, key) === null)) return object
  // SAFETY: `fromEntries` defines own properties, so a key named __proto__ stays a plain key.
  return Object.fromEntries(Object.entries(object).filter(([key, value]) => value !== null || !optional.includes(key)))
}

/** True if an optional member is not set. `null` counts as not set: Go, .NET and Java programs write it. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
