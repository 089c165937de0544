import type { IndexedEntry } from '../../layer/index.ts'
import type { LayerContents } from '../read-layers.ts'
import { diveTreeOf, postOrder } from './dive-tree.ts'
import type { DiveEfficiency } from './measure-efficiency.ts'

/** A file in the report of dive. */
export interface DiveFile {
  /** Path in the archive. */
  readonly path: string
  /** Type flag of tar, as a number. */
  readonly typeFlag: number
  /** Target of a link; empty for other kinds. */
  readonly linkName: string
  /** Size in bytes. */
  readonly size: number
  /** Mode as Go's `os.FileMode`. */
  readonly fileMode: number
  /** User id of the owner. */
  readonly uid: number
  /** Group id of the owner. */
  readonly gid: number
  /** True for a directory. */
  readonly isDir: boolean
}

/** A layer in the report of dive. */
export interface DiveLayer {
  /** Index of the layer, from 0 for the lowest. */
  readonly index: number
  /** Hexadecimal part of the digest of the blob. */
  readonly id: string
  /** DiffID of the layer. */
  readonly digestId: string
  /** Bytes of its files. */
  readonly sizeBytes: number
  /** Command that made the layer. */
  readonly command: string
  /** Its files, children before their directories. */
  readonly fileList: readonly DiveFile[]
}

/** A path that several layers have, in the report of dive. */
export interface DiveFileReference {
  /** Number of layers that have it. */
  readonly count: number
  /** Bytes in all layers. */
  readonly sizeBytes: number
  /** Path with a leading `/`. */
  readonly file: string
}

/** Sums in the report of dive. */
export interface DiveImage {
  /** Bytes of the files of all layers. */
  readonly sizeBytes: number
  /** Bytes that dive counts as wasted. */
  readonly inefficientBytes: number
  /** Score, 0 to 1. */
  readonly efficiencyScore: number
  /** Paths that several layers have, most bytes first. */
  readonly fileReference: readonly DiveFileReference[]
}

/** The document that `dive --json FILE` writes. */
export interface DiveReport {
  /** The layers, lowest first. */
  readonly layer: readonly DiveLayer[]
  /** Sums of the image. */
  readonly image: DiveImage
}

/** Makes the report that dive exports as JSON. */
export function diveReportOf(layers: readonly LayerContents[], efficiency: DiveEfficiency): DiveReport {
  return {
    layer: layers.map(({ index, descriptor, diffId, createdBy = '', entries }) => ({
      index,
      id: descriptor.digest.slice(descriptor.digest.indexOf(':') + 1),
      digestId: diffId,
      sizeBytes: entries.reduce((sum, { size }) => sum + size, 0),
      command: createdBy.replace(/^\/bin\/sh -c /, ''),
      fileList: postOrder(diveTreeOf(entries).root).map(({ node }) => diveFile(node.entry)),
    })),
    image: {
      sizeBytes: efficiency.sizeBytes,
      inefficientBytes: efficiency.wastedBytes,
      efficiencyScore: efficiency.score,
      fileReference: efficiency.paths.map(({ path, count, bytes }) => ({ count, sizeBytes: bytes, file: path })),
    },
  }
}

/** Type flag of tar, and the bits of Go's `os.FileMode`, of each kind of entry. */
const KINDS: Readonly<Record<IndexedEntry['type'], readonly [flag: string, bits: number]>> = {
  file: ['0', 0],
  hardlink: ['1', 0],
  symlink: ['2', 2 ** 27],
  'character-device': ['3', 2 ** 26 + 2 ** 21],
  'block-device': ['4', 2 ** 26],
  directory: ['5', 2 ** 31],
  fifo: ['6', 2 ** 25],
}

function diveFile(entry: IndexedEntry | undefined): DiveFile {
  if (!entry) return { path: '', typeFlag: 0, linkName: '', size: 0, fileMode: 0, uid: 0, gid: 0, isDir: false }
  const { path, type, linkname = '', size, mode, uid, gid } = entry
  const [flag, bits] = KINDS[type]
  const setId = (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0)
  const fileMode = bits + setId + (mode & 0o777)
  return {
    path,
    typeFlag: flag.charCodeAt(0),
    linkName: linkname,
    size,
    fileMode,
    uid,
    gid,
    isDir: type === 'directory',
  }
}
