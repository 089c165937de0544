import type { ViewEntry } from '../../rootfs/index.ts'

/** Files of the root filesystem with the same content at several paths. */
export interface CopiedContent {
  /** Size of one file in bytes. */
  readonly size: number
  /** Bytes that one hard-linked file instead of the copies would save. */
  readonly bytes: number
  /** Paths of the files, in the order of a walk; at most 20. */
  readonly paths: readonly string[]
  /** Number of files. */
  readonly count: number
}

/** Content that the root filesystem has several times. */
export interface Copies {
  /** Bytes of all copies but one of each content. */
  readonly bytes: number
  /** Number of contents that have copies; `contents` has the largest. */
  readonly count: number
  /** Contents with most bytes in copies first. */
  readonly contents: readonly CopiedContent[]
}

const MOST_PATHS = 20

/** Finds content that is visible at several paths. Hard links are one file. dive, which knows only paths, sees none. */
export function findCopies(visible: readonly ViewEntry[], most: number): Copies {
  const contents = new Map<string, { size: number; paths: string[]; count: number }>()
  for (const { type, size, digest, path } of visible) {
    if (type !== 'file' || size === 0 || digest === undefined) continue
    const known = contents.get(digest)
    if (!known) contents.set(digest, { size, paths: [path], count: 1 })
    else if (known.count++ < MOST_PATHS) known.paths.push(path)
  }
  const copied: CopiedContent[] = []
  for (const content of contents.values()) {
    if (content.count > 1) copied.push({ ...content, bytes: content.size * (content.count - 1) })
  }
  copied.sort((a, b) => b.bytes - a.bytes || (a.paths[0]! < b.paths[0]! ? -1 : 1))
  const bytes = copied.reduce((sum, one) => sum + one.bytes, 0)
  return { bytes, count: copied.length, contents: copied.slice(0, most) }
}
