/** The world as a command sees it: where it writes, what it may know, what stops it. Tests bring their own. */
export interface Terminal {
  /** Results. */
  readonly stdout: NodeJS.WritableStream
  /** Everything else. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  /** Environment. */
  readonly env: NodeJS.ProcessEnv
  /** Fires when the person wants to stop. */
  readonly signal: AbortSignal
}
