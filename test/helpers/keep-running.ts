import { spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Starts a program that outlives the test file, though never half an hour. */
export function keepRunning(log: string, name: string, args: readonly string[]): void {
  const output = openSync(log, 'a')
  spawn('timeout', ['-k', '1', '1800', name, ...args], { detached: true, stdio: ['ignore', output, output] }).unref()
}

/** Waits until an address answers with success; a failure has the end of the log. */
export async function answering(address: string, log: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    const answer = await fetch(address).catch(() => undefined)
    await answer?.text()
    if (answer?.ok) return
  }
  throw new Error(`no answer from ${address}: ${readFileSync(log, 'utf8').slice(-2000)}`)
}
