import { constants } from 'node:os'
import { BuildError } from '../../errors/index.ts'
import type { ProcessExit, ProcessLimits } from '../../sandbox/index.ts'

/** Exit codes above are those of signals. */
const SIGNAL_BASE = 128

/** Returns the error for a command that failed, or reached a limit. */
export function commandFailure(
  { code, limit, note }: ProcessExit,
  { limits = {}, output }: { readonly limits?: ProcessLimits | undefined; readonly output: readonly string[] },
): BuildError {
  const signal = signalOf(code)
  const killed = signal === undefined ? '' : ` (128 + ${signal})`
  const ended = `the command ended with exit code ${code}${killed}`
  const why = note === undefined ? '' : `; ${note}`
  const details = { command: { exitCode: code, signal, limit, output } }
  if (limit === undefined) return new BuildError('ERR_BUILD_RUN', `${ended}${why}`, details)
  if (limit === 'seconds') {
    const message = `the command did not end within ${limits.seconds} seconds and was killed`
    return new BuildError('ERR_BUILD_LIMIT', message, details)
  }
  const amount = limit === 'memory' ? `${limits.memory} bytes of memory` : `${limits.processes} processes`
  return new BuildError('ERR_BUILD_LIMIT', `${ended}: it reached the limit of ${amount}`, details)
}

function signalOf(code: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => code === SIGNAL_BASE + number)?.[0]
}
