const BRAND = Symbol.for('layerstore.error')

/**
 * Base of every error this library creates.
 *
 * Switch on {@link LayerStoreError.code}, never on the message: codes are stable, messages are for people.
 * The cause is always kept. Aborted calls are the one exception: they rethrow `signal.reason` as it is.
 */
export abstract class LayerStoreError extends Error {
  /** Stable, documented, machine-readable code; the README of the errors room lists all codes. */
  abstract readonly code: ErrorCodeFormat

  /** @internal */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    Object.defineProperty(this, BRAND, { value: true })
  }

  /**
   * The class name. A getter keeps it correct when a bundler renames the class.
   *
   * @hidden TypeDoc 0.28 writes a broken link for it on the pages of subclasses.
   */
  override get name(): string {
    return this.constructor.name
  }

  /** Like `instanceof`, but also true across duplicated copies of the package. */
  static is(value: unknown): value is LayerStoreError {
    return value instanceof Error && BRAND in value
  }
}

/** Every code starts with `ERR_`. */
export type ErrorCodeFormat = `ERR_${string}`
