import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { Readable, type Writable } from 'node:stream'
import { SandboxError } from '../../../errors/index.ts'
import type { ProcessExit, ProcessSpec } from '../executor.ts'
import { firstProcess } from './first-process.ts'
import { longTimeout } from './long-timeout.ts'

/** Options of {@link runProgram}. */
export interface RunProgramOptions extends Pick<ProcessSpec, 'onOutput' | 'onStart' | 'output' | 'signal'> {
  /** Standard input; `silent` is one that neither gives anything nor ends. @defaultValue `'empty'` */
  readonly stdin?: ProcessSpec['stdin'] | 'silent'
  /** True if the program gets a session of its own, which keys of the terminal do not reach. @defaultValue false */
  readonly detached?: boolean | undefined
  /** Inputs of the program at its file descriptors from 3 on. */
  readonly inputs?: readonly (string | Uint8Array)[] | undefined
  /** Working directory of the program. @defaultValue the root of this machine */
  readonly directory?: string | undefined
  /** Time in seconds after which the program is killed. */
  readonly seconds?: number | undefined
  /** Number of process namespaces between this process and the one that gets signals. @defaultValue 0 */
  readonly depth?: number | undefined
}

/**
 * Runs a program of this machine to its end, without variables. An aborted call kills it and rejects with the reason of
 * the signal once it has ended.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunProgramOptions,
): Promise<ProcessExit> {
  const { directory = '/', onStart, seconds, signal, depth = 0, detached = false } = options
  signal?.throwIfAborted()
  const child = spawn(program, args, { env: {}, stdio: stdioOf(options), cwd: directory, detached })
  const kill = () => child.kill('SIGKILL')
  const killProcess = (name: NodeJS.Signals) => killFirst(child, depth, name)
  let isLate = false
  const onTimeout = () => {
    isLate = true
    kill()
  }
  const cancelTimeout = seconds === undefined ? undefined : longTimeout(onTimeout, seconds * 1000)
  signal?.addEventListener('abort', kill, { once: true })
  try {
    const ended = exitOf(child, program)
    connect(child, options)
    if (child.pid !== undefined) onStart?.({ kill: killProcess, pid: () => pidOf(child, depth) })
    const code = await ended
    signal?.throwIfAborted()
    return isLate ? { code, limit: 'seconds' } : { code }
  } finally {
    cancelTimeout?.()
    signal?.removeEventListener('abort', kill)
  }
}

function stdioOf({ stdin = 'empty', output, inputs = [] }: RunProgramOptions): StdioOptions {
  const input = stdin === 'empty' ? 'ignore' : stdin === 'inherit' ? 'inherit' : 'pipe'
  const written = output === 'inherit' ? 'inherit' : 'pipe'
  return [input, written, written, ...inputs.map(() => 'pipe' as const)]
}

function exitOf(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', error => reject(notStarted(program, error)))
    child.once('close', (code, killedBy) => resolve(code ?? 128 + constants.signals[killedBy ?? 'SIGKILL']))
  })
}

/** Connects the streams of a program. One that ends early does not read all of its input; its exit says why. */
function connect(child: ChildProcess, { inputs = [], stdin, onOutput }: RunProgramOptions): void {
  for (const [i, input] of inputs.entries()) {
    const argument = (child.stdio as unknown[])[3 + i] as Writable
    argument.on('error', () => {})
    argument.end(input)
  }
  child.stdout?.on('data', (chunk: Buffer) => onOutput?.(chunk, 'stdout'))
  child.stderr?.on('data', (chunk: Buffer) => onOutput?.(chunk, 'stderr'))
  if (!child.stdin || typeof stdin !== 'object') return
  child.stdin.on('error', () => {})
  const given = Readable.from(stdin)
  // A source that fails ends the input: the program sees its end, the caller knows the failure.
  given.on('error', () => child.stdin?.end())
  child.once('close', () => given.destroy())
  given.pipe(child.stdin)
}

function pidOf({ pid, exitCode, signalCode }: ChildProcess, depth: number): number | undefined {
  if (pid === undefined || exitCode !== null || signalCode !== null) return undefined
  return depth === 0 ? pid : firstProcess(pid, depth)
}

function killFirst(child: ChildProcess, depth: number, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const pid = pidOf(child, depth)
  if (pid === undefined) {
    // Not started yet: what cannot be told to the process ends what starts it.
    child.kill('SIGKILL')
    return
  }
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended.
  }
}

function notStarted(program: string, cause: Error): SandboxError {
  return new SandboxError('ERR_SANDBOX_START', `${program} did not start: ${cause.message}`, { cause })
}
