import type { Session } from './session.ts'
import { UsageError } from './usage-error.ts'

/** What is piped in; a terminal is nothing to wait for. */
export function stdinOf({ terminal: { stdin } }: Session): AsyncIterable<Uint8Array> {
  if (stdin.isTTY) throw new UsageError('nothing is piped in: give a file')
  return stdin
}
