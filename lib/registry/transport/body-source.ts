/** A body that comes in over a connection. */
export interface BodySource {
  /** The bytes that have come, at least one; `undefined` at the end. Rejects with what broke the body, after its bytes. */
  take(): Promise<Uint8Array | undefined>
  /** Ends the connection with an error, which `take` gives after the bytes that have come. */
  fail(error: Error): void
  /** Nothing more is taken, and nothing that was taken is looked at: ends the connection unless all bytes have come. */
  close(): void
}
