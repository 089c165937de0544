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
// EPIPE: a reader that stops early (`| head`) is no failure.
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
  // Opened lazily, only by a command that reads stdin.
  get stdin() {
    stdin = process.stdin
    return stdin
  },
}
void runCli(process.argv.slice(2), terminal, version).then(code => {
  process.exitCode = code
  // An open stdin pipe would keep the process alive.
  stdin?.destroy()
})
