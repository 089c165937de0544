/** A body that is being received over a connection. */
export interface BodySource {
  /**
   * Resolves to the bytes received so far, at least one; `undefined` at the end. After a failure it first returns the
   * bytes received before, then rejects with the error.
   */
  take(): Promise<Uint8Array | undefined>
  /** Closes the connection with an error. `take` rejects with it after the bytes received before. */
  fail(error: Error): void
  /**
   * Ends the use of the source: the caller neither takes nor reads any more bytes. Closes the connection unless the
   * body is complete.
   */
  close(): void
}
