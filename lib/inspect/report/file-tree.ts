import type { ViewEntry } from '../../rootfs/index.ts'
import type { HiddenFile } from '../waste/find-hidden.ts'

/** Files of an image as a tree: those that a container sees, and those that an upper layer hides. */
export interface TreeDirectory {
  /** Name in its directory; empty for the root. */
  readonly name: string
  /** Bytes of all files in it, at any depth. */
  bytes: number
  readonly directories: Map<string, TreeDirectory>
  readonly files: TreeFile[]
}

/** A file of a tree. */
export interface TreeFile {
  /** Name in its directory. */
  readonly name: string
  /** Bytes of the file. */
  readonly bytes: number
  /** Index of the layer that stores it. */
  readonly layer: number
  /** True if a container does not see it. */
  readonly hidden: boolean
}

/**
 * Depth of directories; deeper ones are shown as one. SAFETY: a path of an image may have thousands of components, and
 * neither this function nor the page that shows the tree may recurse as deep.
 */
const MOST_DEPTH = 100

/** Makes the tree of the visible paths of an image and of its hidden files. */
export function fileTree(visible: readonly ViewEntry[], hidden: readonly HiddenFile[]): TreeDirectory {
  const root = directoryOf('')
  for (const { path, type, size, layer } of visible) {
    // The walk yields further names of a file as hard links: their bytes count once.
    if (type !== 'directory') addFile(root, path, { bytes: type === 'file' ? size : 0, layer, hidden: false })
  }
  for (const { path, bytes, layer } of hidden) addFile(root, path, { bytes, layer, hidden: true })
  return root
}

function addFile(root: TreeDirectory, path: string, file: Omit<TreeFile, 'name'>): void {
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  const name = parts.pop() ?? ''
  if (parts.length > MOST_DEPTH) parts.splice(MOST_DEPTH, parts.length, '…')
  let directory = root
  directory.bytes += file.bytes
  for (const part of parts) {
    const known = directory.directories.get(part) ?? directoryOf(part)
    directory.directories.set(part, known)
    directory = known
    directory.bytes += file.bytes
  }
  directory.files.push({ name, ...file })
}

function directoryOf(name: string): TreeDirectory {
  return { name, bytes: 0, directories: new Map(), files: [] }
}
