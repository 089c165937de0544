/**
 * Thrown while a build is planned, where an answer needs something that only the run may do: make an earlier step,
 * fetch layers, download an address. Never leaves the room.
 */
export class NotKnownYet extends Error {
  /** Event that must come first, as a part of a sentence. */
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}
