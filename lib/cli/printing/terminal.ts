/** Environment of a command: its streams, variables and abort signal. Tests pass their own. */
export interface Terminal {
  /** Piped input. */
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean }
  /** Results. */
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Notes, progress, errors and logs. */
  readonly stderr: NodeJS.WritableStream & {
    readonly isTTY?: boolean
    readonly columns?: number
    readonly rows?: number
  }
  /** Environment variables. */
  readonly env: NodeJS.ProcessEnv
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal
  /** True if the streams are those of this process, so that another process may inherit them. @defaultValue false */
  readonly isProcess?: boolean
  /**
   * Gives the signals that this process gets to a listener, instead of stopping the command. Disposing the result ends
   * that. @defaultValue the command gets no signals
   */
  readonly takeSignals?: (listener: (name: NodeJS.Signals) => void) => Disposable
}

/**
 * True if a terminal may be given colours.
 *
 * @see {@link https://no-color.org}
 */
export function hasColors({ NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  return !NO_COLOR && TERM !== 'dumb'
}
