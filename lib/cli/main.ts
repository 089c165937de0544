#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { runCli } from './run-cli.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stop.abort(new Error(name)))
}
// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  process.exit(0)
})
const { env, stdout, stderr } = process
let stdin: NodeJS.ReadStream | undefined
const terminal = {
  env,
  stdout,
  stderr,
  signal: stop.signal,
  // Opened only by a command that reads it.
  get stdin() {
    stdin = process.stdin
    return stdin
  },
}
void runCli(process.argv.slice(2), terminal, version).then(code => {
  process.exitCode = code
  // A pipe that still has something to say would keep the process waiting.
  stdin?.destroy()
})
