import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { program } from './program.ts'

/** A podman or buildah with a storage of its own. */
export interface Containers extends Disposable {
  /** Runs a command of the program; resolves to what it prints, trimmed. */
  run(...args: readonly string[]): Promise<string>
  /** Makes a short path in lower case that leads to a directory: the program makes names of images of paths. */
  linkTo(directory: string): string
}

let made = 0

/**
 * Gives a program a fresh storage. podman refuses a run directory of more than 50 characters, so the storage lies right
 * below /tmp, however long the path of the temporary directory is.
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
