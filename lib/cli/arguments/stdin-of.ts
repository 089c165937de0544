import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'

/** Returns stdin if it is piped. A terminal is refused, since the command would wait for typed input. */
export function stdinOf({ terminal: { stdin } }: Session): AsyncIterable<Uint8Array> {
  if (stdin.isTTY) throw new UsageError('nothing is piped in: give a file')
  return stdin
}
