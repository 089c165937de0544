import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Writable } from 'node:stream'
import { SandboxError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ProcessExit, ProcessSpec } from './executor.ts'

/** Options of {@link runProgram}. */
export interface RunProgramOptions extends AbortOptions, Pick<ProcessSpec, 'onOutput'> {
  /** Input of the program at its file descriptor 3. */
  readonly input?: string | undefined
  /** Working directory of the program. @defaultValue the root of this machine */
  readonly directory?: string | undefined
}

/**
 * Runs a program of this machine to its end, with an empty standard input and no variables. An aborted call kills it
 * and rejects with the reason of the signal once it has ended.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { input = '', directory = '/', onOutput, signal }: RunProgramOptions,
): Promise<ProcessExit> {
  signal?.throwIfAborted()
  const child = spawn(program, args, { env: {}, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], cwd: directory })
  const kill = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', kill, { once: true })
  try {
    const ended = new Promise<ProcessExit>((resolve, reject) => {
      child.once('error', error => reject(notStarted(program, error)))
      child.once('close', (code, killedBy) => resolve({ code: code ?? 128 + constants.signals[killedBy ?? 'SIGKILL'] }))
    })
    const argument = child.stdio[3] as Writable
    // A program that ended early did not read all; its exit says why.
    argument.on('error', () => {})
    argument.end(input)
    child.stdout?.on('data', (chunk: Buffer) => onOutput?.(chunk, 'stdout'))
    child.stderr?.on('data', (chunk: Buffer) => onOutput?.(chunk, 'stderr'))
    const exit = await ended
    signal?.throwIfAborted()
    return exit
  } finally {
    signal?.removeEventListener('abort', kill)
  }
}

function notStarted(program: string, cause: Error): SandboxError {
  return new SandboxError('ERR_SANDBOX_START', `${program} did not start: ${cause.message}`, { cause })
}
