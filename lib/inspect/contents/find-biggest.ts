import type { ViewEntry } from '../../rootfs/index.ts'

/** A file, and the layer that it is from. */
export interface BigFile {
  /** The path, without a leading `/`. */
  readonly path: string
  /** Bytes of the file. */
  readonly bytes: number
  /** Index of the layer. */
  readonly layer: number
}

/** A directory with everything in it. */
export interface BigDirectory {
  /** The path, without a leading `/`. */
  readonly path: string
  /** Bytes of the files in it, at any depth. */
  readonly bytes: number
  /** Number of these files. */
  readonly files: number
}

/** Largest things of a root filesystem. */
export interface Biggest {
  /** Largest files first. */
  readonly files: readonly BigFile[]
  /** Largest directories first, without those that hold little besides one smaller directory. */
  readonly directories: readonly BigDirectory[]
}

/** Share of the bytes of a directory in one of its directories from which that one alone is named. */
const NEARLY_ALL = 0.9

/** Finds the largest files and directories of a view; hard links count once. */
export function findBiggest(visible: readonly ViewEntry[], most: number): Biggest {
  const files: BigFile[] = []
  const directories = new Map<string, { bytes: number; files: number; largest: number }>()
  for (const { path, type, size, layer } of visible) {
    if (type !== 'file' || size === 0) continue
    files.push({ path, bytes: size, layer })
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash)
      const sum = directories.get(parent)
      if (sum) {
        sum.bytes += size
        sum.files++
      } else directories.set(parent, { bytes: size, files: 1, largest: 0 })
    }
  }
  for (const [path, { bytes }] of directories) {
    const slash = path.lastIndexOf('/')
    const parent = slash > 0 ? directories.get(path.slice(0, slash)) : undefined
    if (parent) parent.largest = Math.max(parent.largest, bytes)
  }
  const telling = [...directories].flatMap(([path, { bytes, files: count, largest }]) =>
    largest > bytes * NEARLY_ALL ? [] : [{ path, bytes, files: count }],
  )
  return { files: largestOf(files, most), directories: largestOf(telling, most) }
}

/** Largest first; equal ones in the order of their paths. */
function largestOf<T extends { readonly bytes: number; readonly path: string }>(all: T[], most: number): T[] {
  return all.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)).slice(0, most)
}
