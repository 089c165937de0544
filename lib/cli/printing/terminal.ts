/** Environment of a command: its streams, variables and abort signal. Tests pass their own. */
export interface Terminal {
  /** Piped input. */
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean }
  /** Results. */
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Notes, progress, errors and logs. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  /** Environment variables. */
  readonly env: NodeJS.ProcessEnv
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal
}
