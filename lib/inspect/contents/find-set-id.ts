import type { ViewEntry } from '../../rootfs/index.ts'

/** A program that runs with the rights of its owner or group. */
export interface SetIdFile {
  /** The path, without a leading `/`. */
  readonly path: string
  /** Permission bits with set-id bits. */
  readonly mode: number
  /** Owner whose rights the program has, with the set-user-id bit. */
  readonly uid: number
  /** Group whose rights it has, with the set-group-id bit. */
  readonly gid: number
  /** Index of the layer. */
  readonly layer: number
}

/** Finds the files of a root filesystem with the set-user-id or the set-group-id bit and a bit for execution. */
export function findSetId(visible: readonly ViewEntry[]): readonly SetIdFile[] {
  const found: SetIdFile[] = []
  for (const { path, type, mode, uid, gid, layer } of visible) {
    const isLinked = type === 'file' || type === 'hardlink'
    if (isLinked && (mode & 0o6000) !== 0 && (mode & 0o111) !== 0) found.push({ path, mode, uid, gid, layer })
  }
  return found
}
