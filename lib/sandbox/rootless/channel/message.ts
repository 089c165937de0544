import type { PackedError } from './packed-error.ts'

/** Message between this process and the one in the user namespace. The side that asks chooses the number. */
export type Message =
  /** Asks for a call. */
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly args: unknown }
  /** Asks for the next chunks of a stream; the first one of a number opens it. */
  | { readonly kind: 'pull'; readonly id: number; readonly name: string; readonly args: unknown }
  /** Ends a call or a stream early. */
  | { readonly kind: 'stop'; readonly id: number }
  /** Result of a call. */
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  /** Something that happened during a call. */
  | { readonly kind: 'event'; readonly id: number; readonly value: unknown }
  /** Chunks of a stream. */
  | { readonly kind: 'chunks'; readonly id: number; readonly chunks: readonly Uint8Array[]; readonly done: boolean }
  /** Failure of a call or a stream. */
  | { readonly kind: 'fault'; readonly id: number; readonly fault: PackedError }

/** A way to exchange messages, in order. Values are cloned. */
export interface Port {
  /** Sends a message; does nothing if the other side has ended. */
  send(message: Message): void
  /** Calls the first function for each message, the second one when the other side has ended. */
  listen(onMessage: (message: Message) => void, onEnd: () => void): void
}
