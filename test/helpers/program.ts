import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Runs a program of this machine and resolves to its stdout. A failure contains its stderr. */
export async function program(name: string, args: readonly string[], options: { cwd?: string } = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(name, [...args], {
    ...options,
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    maxBuffer: 1 << 28,
  })
  return stdout
}
