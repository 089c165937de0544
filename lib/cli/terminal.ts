/** The world as a command sees it: where it writes, what it may know, what stops it. Tests bring their own. */
export interface Terminal {
  /** What is piped in. */
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean }
  /** Results. */
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Everything else. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  /** Environment. */
  readonly env: NodeJS.ProcessEnv
  /** Fires when the person wants to stop. */
  readonly signal: AbortSignal
}
