import { strict as assert } from 'node:assert'
import { readdir, readFile } from 'node:fs/promises'
import { sleep } from '../../internal/concurrency/sleep.ts'

const TRIES = 100

/** A number of seconds that no other process sleeps for. */
export function uniqueSeconds(): string {
  return `${100_000 + Math.floor(Math.random() * 900_000)}.${process.pid}`
}

/** Asserts that no process of this machine has a text on its command line. It may take the kernel a moment. */
export async function assertNoProcess(text: string): Promise<void> {
  for (let i = 0; i < TRIES; i++) {
    if (!(await isRunning(text))) return
    await sleep(20)
  }
  assert.fail(`a process is left: ${text}`)
}

/** Resolves to whether a process of this machine has a text on its command line. */
export async function isRunning(text: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.some(line => line.replaceAll('\0', ' ').includes(text))
}
