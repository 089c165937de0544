import { isatty } from 'node:tty'
import type { StartOptions } from '../../sandbox/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'

/** Connection of the process of a container with the user. */
export interface Connection {
  /** Standard input is passed on. */
  readonly interactive?: boolean | undefined
  /** The process has a terminal. */
  readonly terminal: boolean
}

/**
 * Connects the process of a container with the streams of the command: it inherits those of this process.
 *
 * @throws {@link UsageError} if keys of a terminal are asked for where there is none.
 */
export function startOptionsOf(
  { terminal, signal }: Session,
  { interactive = false, terminal: hasTerminal }: Connection,
): StartOptions {
  if (terminal.isProcess) {
    if (interactive && hasTerminal && !isatty(0)) {
      throw new UsageError('-i with -t needs a terminal as the input: leave -t out')
    }
    return { stdin: interactive ? 'inherit' : 'empty', output: 'inherit', signal }
  }
  return {
    stdin: interactive ? terminal.stdin : 'empty',
    onOutput: (chunk, stream) => void terminal[stream].write(chunk),
    signal,
  }
}
