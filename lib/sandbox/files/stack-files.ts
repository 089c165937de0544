import type { AbortOptions } from '../../internal/abort.ts'
import type { ProcessMount } from '../executors/executor.ts'

/** Mode and owner of a file or directory that is created. */
export interface FileAttributes {
  /** Permission bits. The umask of this process does not change them. */
  readonly mode: number
  /** User, by its number in the root filesystem. */
  readonly uid: number
  /** Group, likewise. */
  readonly gid: number
}

/** Mount points that were created for a process. */
export interface MountPoints {
  /** Removes those that are still empty, and restores the times of the directories above. */
  remove(): Promise<void>
}

/**
 * Changes files for a process before it runs, with the ids of its root filesystem.
 *
 * The stack of a plain user is in a user namespace: only a process in that namespace may give files to other ids. So a
 * caller that prepares a stack uses these calls, not `node:fs`. Paths are those of this machine as the stack knows
 * them, inside {@link Stack.path}, {@link Stack.scratch} or a directory that belongs to the caller.
 */
export interface StackFiles {
  /**
   * Creates a directory; its parent exists. With `recursive` the parents are created too, with the mode of new
   * directories, and nothing happens if the directory exists.
   */
  makeDirectory(path: string, attributes: FileAttributes, options?: { readonly recursive?: boolean }): Promise<void>

  /** Writes a file that must not exist. */
  writeFile(path: string, content: string | Uint8Array, attributes: FileAttributes): Promise<void>

  /** Gives a file that the caller has created, such as a socket, other attributes. Links are not followed. */
  change(path: string, attributes: FileAttributes): Promise<void>

  /** Removes a file, or a directory with all that it contains. Does nothing if there is none. */
  remove(path: string): Promise<void>

  /**
   * Unpacks a tar archive into a directory that is empty or does not exist. No entry leads out of the directory.
   *
   * @param what - Name of the archive, for errors.
   * @param open - Opens the archive; may be called twice.
   * @throws the errors of `unpackLayers`.
   */
  unpack(path: string, what: string, open: () => AsyncIterable<Uint8Array>, options?: AbortOptions): Promise<void>

  /**
   * Creates the mount points that a root filesystem lacks; see {@link MountStubs}. Executors do this for the mounts of
   * their process; a caller that gives mounts to an executor of its own does it before.
   *
   * @throws {@link SandboxError} `ERR_SANDBOX_MOUNT`.
   */
  makeMountPoints(root: string, mounts: readonly ProcessMount[]): Promise<MountPoints>
}
