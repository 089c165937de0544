import * as errors from '../../../errors/index.ts'

/** An error as it is sent between processes; cloning keeps neither classes nor codes. */
export interface PackedError {
  /** Name of the class in `errors/`; absent for other errors. */
  readonly type?: string | undefined
  readonly message: string
  /** Own members that are plain, such as `code`. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly cause?: PackedError | undefined
}

type ErrorClass = abstract new (...args: never[]) => Error

/** Converts an error to plain data. */
export function packError(error: unknown): PackedError {
  const known = error instanceof Error ? error : new Error(String(error))
  const { message, cause, stack: _, ...members } = known as Error & Record<string, unknown>
  // The name of the class itself may be another one in minified code.
  const [type] = Object.entries(errors).find(([, value]) => value === known.constructor) ?? []
  const fields = Object.fromEntries(Object.entries(members).filter(([, value]) => isPlain(value)))
  return { type, message, fields, ...(cause !== undefined && { cause: packError(cause) }) }
}

/** Restores an error with its original class. */
export function unpackError({ type, message, fields, cause }: PackedError): Error {
  const error = new Error(message, cause && { cause: unpackError(cause) })
  const known = type === undefined ? undefined : (errors as Readonly<Record<string, unknown>>)[type]
  if (typeof known === 'function') {
    Object.setPrototypeOf(error, (known as ErrorClass).prototype)
    // The constructor of every error of this library sets this.
    Object.defineProperty(error, Symbol.for('layerstore.error'), { value: true })
  }
  return Object.assign(error, fields)
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}
