// The command line, as lib/cli/main.ts has it, in one file for any user: `node cli-child.mjs ARGUMENTS`.
import { runCli } from '../../lib/cli/index.ts'
import { ProcessSignals } from '../../lib/cli/main-signals.ts'

const { env, stdin, stdout, stderr } = process
const stop = new AbortController()
const { take } = new ProcessSignals(stop)
const terminal = { env, stdin, stdout, stderr, signal: stop.signal, isProcess: true, takeSignals: take }
void runCli(process.argv.slice(2), terminal, '9.9.9').then(code => {
  process.exitCode = code
  stdin.destroy()
})
