import { devNull } from 'node:os'
import { PassThrough } from 'node:stream'
import { type ExitCode, runCli } from '../../lib/cli/index.ts'

/** Output and exit code of one command line. */
export interface CliRun {
  readonly code: ExitCode
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line in this process with the store directory given. */
export async function cli(
  args: readonly string[],
  options: {
    store?: string
    tty?: boolean
    /** Variables besides the store; there is no `registries.json` unless one says so. */
    env?: NodeJS.ProcessEnv
    signal?: AbortSignal
    stdin?: AsyncIterable<Uint8Array>
    onStdout?: (text: string) => void
    onStderr?: (text: string) => void
    onBytes?: (chunk: Uint8Array) => void
  } = {},
): Promise<CliRun> {
  const isTTY = options.tty ?? false
  const stdout = Object.assign(new PassThrough(), { isTTY })
  const stderr = Object.assign(new PassThrough(), { isTTY })
  const text = { stdout: '', stderr: '' }
  stdout.on('data', chunk => {
    text.stdout += chunk
    options.onBytes?.(chunk)
    options.onStdout?.(text.stdout)
  })
  stderr.on('data', chunk => {
    text.stderr += chunk
    options.onStderr?.(text.stderr)
  })
  const store = options.store ? { LAYERSTORE_STORE: options.store } : {}
  const env = { LAYERSTORE_CONFIG: devNull, ...store, ...options.env }
  const signal = options.signal ?? new AbortController().signal
  const stdin = options.stdin ?? new PassThrough().end()
  const code = await runCli(args, { stdin, stdout, stderr, env, signal }, '9.9.9')
  return { code, ...text }
}
