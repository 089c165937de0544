import { join } from 'node:path'

/**
 * Returns the directory in which the sandbox of the current user keeps unpacked layers, for `listSnapshots` and
 * `collectSnapshots`. Root uses the given one, another user one of its own in it: the owners of a layer on the disk
 * depend on the user.
 */
export function snapshotDirectory(directory: string): string {
  const user = process.getuid?.() ?? 0
  return user === 0 ? directory : join(directory, `user-${user}`)
}
