/** Messages between a child process and the process that started it. `layerstore` tells them from other messages. */
export type WireMessage =
  /** A child can be asked from now on. */
  | { readonly layerstore: 'ready' }
  /** A child asks all others. */
  | { readonly layerstore: 'ask'; readonly id: number; readonly message: unknown }
  /** The parent passes the question on. */
  | { readonly layerstore: 'question'; readonly id: number; readonly message: unknown }
  /** A child answers the question. */
  | { readonly layerstore: 'answer'; readonly id: number; readonly answer: unknown }
  /** The parent returns the answers; `undefined` if a child did not answer in time. */
  | { readonly layerstore: 'answers'; readonly id: number; readonly answers?: readonly unknown[] | undefined }

/** Tells a message of this library from any other message of a process. */
export function isWireMessage(value: unknown): value is WireMessage {
  return typeof value === 'object' && value !== null && typeof (value as WireMessage).layerstore === 'string'
}
