import { spawn } from 'node:child_process'
import { appendFileSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** File beside the logs with the processes that {@link endWith} ends. */
const PROCESSES = 'processes'
/**
 * Waits until the process `$1` is gone, then ends what the list names. `tail` follows the list, so that its own command
 * line names the directory too. `timeout` passes the signal on to its program.
 */
const WATCH = 'tail --pid="$1" -f "$2" > /dev/null && kill $(cat "$2")'

/** Longest time that a program runs, in seconds: longer than the slowest run of all tests. */
const MOST_SECONDS = 3 * 3600

/** Starts a program that outlives the test file, and ends with the run of the tests: see {@link endWith}. */
export function keepRunning(log: string, name: string, args: readonly string[]): void {
  const output = openSync(log, 'a')
  const program = spawn('timeout', ['-k', '1', String(MOST_SECONDS), name, ...args], {
    detached: true,
    stdio: ['ignore', output, output],
  })
  program.unref()
  if (program.pid !== undefined) appendFileSync(join(dirname(log), PROCESSES), `${program.pid}\n`)
}

/**
 * Ends the programs whose logs are in a directory once a process is gone. A run of the tests that is aborted ends
 * nothing itself.
 */
export function endWith(pid: number, directory: string): void {
  const list = join(directory, PROCESSES)
  writeFileSync(list, '')
  spawn('sh', ['-c', WATCH, 'sh', String(pid), list], { detached: true, stdio: 'ignore' }).unref()
}

/** Waits until an address answers with success; a failure has the end of the log. */
export async function answering(address: string, log: string): Promise<void> {
  for (const end = Date.now() + 100_000; Date.now() < end; await sleep(50)) {
    const answer = await fetch(address).catch(() => undefined)
    await answer?.text().catch(() => undefined)
    if (answer?.ok) return
  }
  throw new Error(`no answer from ${address}: ${readFileSync(log, 'utf8').slice(-2000)}`)
}
