import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { program } from './program.ts'

/** podman or buildah with its own storage. */
export interface Containers extends Disposable {
  /** Runs a command of the program; resolves to what it prints, trimmed. */
  run(...args: readonly string[]): Promise<string>
  /** Links a short lowercase path to a directory: podman makes image names of paths. */
  linkTo(directory: string): string
}

let made = 0

/**
 * Creates a storage for podman or buildah. podman refuses a run directory of more than 50 characters, so the storage is
 * directly below /tmp, however long the temporary directory's path is.
 */
export function containers(name: string): Containers {
  const path = `/tmp/ls-${process.pid}-${made++}`
  mkdirSync(path, { mode: 0o700 })
  const storage = ['--root', join(path, 'root'), '--runroot', join(path, 'run'), '--storage-driver', 'vfs']
  let links = 0
  return {
    run: async (...args) => (await program(name, [...storage, ...args])).trim(),
    linkTo(directory) {
      const link = join(path, `link-${links++}`)
      symlinkSync(directory, link)
      return link
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}
