import { spawnSync } from 'node:child_process'

/** The pid of a process that has ended. */
export function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid
}
