import type { IndexedEntry } from '../../layer/index.ts'
import type { LayerContents } from '../read-layers.ts'
import { diveTreeOf, postOrder } from './dive-tree.ts'
import type { DiveEfficiency } from './measure-efficiency.ts'

/** A file in the report of dive. */
export interface DiveFile {
  readonly path: string
  /** Type flag of tar, as a number. */
  readonly typeFlag: number
  readonly linkName: string
  readonly size: number
  /** Mode as Go's `os.FileMode`. */
  readonly fileMode: number
  readonly uid: number
  readonly gid: number
  readonly isDir: boolean
}

/** The document that `dive --json FILE` writes. */
export interface DiveReport {
  readonly layer: readonly {
    readonly index: number
    readonly id: string
    readonly digestId: string
    readonly sizeBytes: number
    readonly command: string
    readonly fileList: readonly DiveFile[]
  }[]
  readonly image: {
    readonly sizeBytes: number
    readonly inefficientBytes: number
    readonly efficiencyScore: number
    readonly fileReference: readonly { readonly count: number; readonly sizeBytes: number; readonly file: string }[]
  }
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
