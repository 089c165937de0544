import { readFileSync } from 'node:fs'
import { OutputError } from './failing/output-error.ts'
import { ProcessSignals } from './main-signals.ts'
import { printLines } from './printing/print.ts'
import { runCli } from './run-cli.ts'

/** Runs the command line of this process in its terminal, and sets its exit code. */
export function main(): void {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const { env, stdout, stderr } = process
  const stop = new AbortController()
  const signals = new ProcessSignals(stop)
  // A reader that stops early (`| head`) or a full disk ends the command: what it printed is not complete. The message
  // stands here and not in `runCli`, because the error may arrive after the last write, when the command has ended.
  const isHelp = process.argv.some(word => word === '--help' || word === 'help')
  let failed = false
  stdout.on('error', cause => {
    if (failed) return
    failed = true
    // A help text that a pager has not read to its end is no loss.
    if (isHelp && (cause as NodeJS.ErrnoException).code === 'EPIPE') return
    const error = new OutputError(cause)
    printLines(stderr, `layerstore: ${error.message} (${error.code})`)
    process.exitCode = 1
    stop.abort(error)
  })
  // Without stderr no message can be printed; the exit code still tells.
  stderr.on('error', () => {})

  let stdin: NodeJS.ReadStream | undefined
  const terminal = {
    env,
    stdout,
    stderr,
    signal: stop.signal,
    isProcess: true,
    takeSignals: signals.take,
    // Opened lazily, only by a command that reads stdin.
    get stdin() {
      stdin = process.stdin
      return stdin
    },
  }
  void runCli(process.argv.slice(2), terminal, version).then(code => {
    process.exitCode = failed && !isHelp ? 1 : code
    // An open stdin pipe would keep the process alive.
    stdin?.destroy()
  })
}
