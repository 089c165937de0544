import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { watchMemory } from './watch-memory.mjs'

// The shell's `time` counts the processor time of all processes of a pipeline; Node cannot read it.
const TIMED = 'TIMEFORMAT="%3R %3U %3S"; { time "$@" 2>&3 3>&- 4>&-; } 2>&4'

/**
 * Runs a command in fresh processes. Resolves to wall and CPU seconds of the command and its children, the sum of their
 * peak memory, and the output. Rejects with the output if the command fails.
 */
export async function measureCommand(command, { cwd, env } = {}) {
  const shell = spawn('bash', ['-c', TIMED, 'measured', ...command], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'pipe'],
  })
  const peak = watchMemory(shell.pid)
  const ended = new Promise((done, fail) => shell.once('error', fail).once('close', done))
  const [stdout, said, times, status] = await Promise.all([...[1, 3, 4].map(i => text(shell.stdio[i])), ended])
  const peakBytes = peak()
  if (status !== 0)
    throw new Error(`${command.slice(0, 3).join(' ')} … failed (${status}): ${said.trim().slice(-2000)}`)
  const [wallSeconds, user, system] = times.trim().split(/\s+/).map(Number)
  return { wallSeconds, cpuSeconds: user + system, peakBytes, stdout }
}

/** Creates a pipeline for `measureCommand`; `"$1"` and so on are replaced with the arguments. */
export function pipeline(script, ...args) {
  return ['bash', '-o', 'pipefail', '-c', script, 'pipeline', ...args.map(String)]
}
