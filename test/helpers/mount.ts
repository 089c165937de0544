import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

/** Mounts something on a new directory, until it is disposed of. Needs root. */
export function mount(directory: string, ...args: readonly string[]): { path: string } & Disposable {
  mkdirSync(directory, { recursive: true })
  execFileSync('mount', [...args, directory], { stdio: ['ignore', 'ignore', 'pipe'] })
  return {
    path: directory,
    [Symbol.dispose]: () => {
      // What was killed may still be on its way out.
      execFileSync('umount', ['--lazy', directory])
    },
  }
}
