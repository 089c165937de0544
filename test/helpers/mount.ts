import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

/** Mounts a file system on a new directory; `dispose` unmounts it. Needs root. */
export function mount(directory: string, ...args: readonly string[]): { path: string } & Disposable {
  mkdirSync(directory, { recursive: true })
  execFileSync('mount', [...args, directory], { stdio: ['ignore', 'ignore', 'pipe'] })
  return {
    path: directory,
    [Symbol.dispose]: () => {
      // A killed process may not have ended yet.
      execFileSync('umount', ['--lazy', directory])
    },
  }
}
