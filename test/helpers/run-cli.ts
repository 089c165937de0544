import { PassThrough } from 'node:stream'
import { type ExitCode, runCli } from '../../lib/cli/index.ts'

/** What one command line printed, and how it ended. */
export interface CliRun {
  readonly code: ExitCode
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line in this process with the store directory given. */
export async function cli(
  args: readonly string[],
  options: { store?: string; tty?: boolean; signal?: AbortSignal; onStdout?: (text: string) => void } = {},
): Promise<CliRun> {
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: options.tty ?? false })]
  const text = { stdout: '', stderr: '' }
  stdout.on('data', chunk => {
    text.stdout += chunk
    options.onStdout?.(text.stdout)
  })
  stderr.on('data', chunk => {
    text.stderr += chunk
  })
  const env = options.store ? { LAYERSTORE_STORE: options.store } : {}
  const signal = options.signal ?? new AbortController().signal
  const code = await runCli(args, { stdout, stderr, env, signal }, '9.9.9')
  return { code, ...text }
}
