import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  openSync,
  utimesSync,
} from 'node:fs'
import { refusedXattr } from '../../../layer/index.ts'
import type { XattrSetter } from '../../xattrs/xattr-setter.ts'
import type { CreationDefaults } from '../tree/creation-defaults.ts'
import type { DirectoryMetadata } from '../tree/directory-node.ts'
import type { SkippedDetail } from '../unpack-report.ts'
import type { WriterOptions } from './writer-options.ts'

const SET_ID = 0o6000
/** Latest time, in seconds, that ext4 can store; it silently stores a later time as this one. */
const LAST_SECOND = 15032385535

/** Reports metadata that could not be applied. */
export type Skip = (what: SkippedDetail['what'], reason: string) => void

/** Applies owner, mode, attributes and time of the entries to files, directories, links and devices. */
export class MetadataWriter {
  readonly #options: WriterOptions
  readonly #setter: XattrSetter | undefined
  /** Owner of the files that this process creates. */
  readonly owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
  /** Metadata of newly created files; `undefined` if another process can access the target meanwhile. */
  birth: CreationDefaults | undefined

  constructor(options: WriterOptions, setter: XattrSetter | undefined) {
    this.#options = options
    this.#setter = setter
  }

  /**
   * Applies metadata to an open file. The order matters: a change of owner clears set-id bits and capabilities.
   *
   * @param born - Mode that the file was created with, if it is known.
   */
  toFile(fd: number, metadata: DirectoryMetadata, born: number | undefined, skip: Skip): void {
    if (this.#ownerApplies(metadata, skip) && !this.isBornOwner(metadata)) fchownSync(fd, metadata.uid, metadata.gid)
    const mode = this.#modeOf(metadata, skip)
    if (mode !== born) fchmodSync(fd, mode)
    this.#xattrs(`/proc/self/fd/${fd}`, metadata, skip)
    const time = timeOf(metadata, skip)
    futimesSync(fd, time, time)
  }

  /** True if new files have this owner. */
  isBornOwner({ uid, gid }: DirectoryMetadata): boolean {
    return this.birth !== undefined && uid === this.birth.uid && gid === this.birth.gid
  }

  /**
   * Applies the time to a directory, by its own path. It was created with its owner and mode, and needs no attributes.
   */
  toBornDirectory(path: string | Buffer, metadata: DirectoryMetadata, skip: Skip): void {
    const time = timeOf(metadata, skip)
    lutimesSync(path, time, time)
  }

  /** Applies metadata to a directory, by the `/proc` path of its handle. */
  toDirectory(path: string, metadata: DirectoryMetadata, skip: Skip): void {
    if (this.#ownerApplies(metadata, skip)) chownSync(path, metadata.uid, metadata.gid)
    chmodSync(path, this.#modeOf(metadata, skip))
    this.#xattrs(path, metadata, skip)
    const time = timeOf(metadata, skip)
    utimesSync(path, time, time)
  }

  /** Applies metadata to a symbolic link itself. Links have no mode. */
  toLink(path: string | Buffer, metadata: DirectoryMetadata, skip: Skip): void {
    if (this.#ownerApplies(metadata, skip)) lchownSync(path, metadata.uid, metadata.gid)
    for (const name of metadata.xattrs?.keys() ?? []) skip('xattr', `${name}: links are left without`)
    const time = timeOf(metadata, skip)
    lutimesSync(path, time, time)
  }

  /**
   * Applies metadata to a device or FIFO by path, because opening it has effects: opening a tape rewinds it, opening a
   * FIFO blocks until its other end is opened.
   */
  toDevice(path: string | Buffer, metadata: DirectoryMetadata, skip: Skip): void {
    if (this.#options.handles === 'paths') {
      skip('mode', 'not applied on this system')
      this.toLink(path, metadata, skip)
      return
    }
    const O_PATH = 0o10000000
    const fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
    try {
      const held = `/proc/self/fd/${fd}`
      if (this.#ownerApplies(metadata, skip)) chownSync(held, metadata.uid, metadata.gid)
      chmodSync(held, this.#modeOf(metadata, skip))
      this.#xattrs(held, metadata, skip)
      const time = timeOf(metadata, skip)
      utimesSync(held, time, time)
    } finally {
      closeSync(fd)
    }
  }

  #ownerApplies({ uid, gid }: DirectoryMetadata, skip: Skip): boolean {
    if (!this.#options.rootless) return true
    if (uid !== this.owner.uid || gid !== this.owner.gid) skip('owner', `${uid}:${gid} not applied without root`)
    return false
  }

  #modeOf({ mode }: DirectoryMetadata, skip: Skip): number {
    if (this.#options.keepSetId || (mode & SET_ID) === 0) return mode & 0o7777
    skip('mode', 'set-id bits not applied, the owner would be another')
    return mode & 0o7777 & ~SET_ID
  }

  #xattrs(path: string, metadata: DirectoryMetadata, skip: Skip): void {
    for (const [name, value] of metadata.xattrs ?? []) {
      const refused = refusedXattr(name) ?? (this.#options.handles === 'paths' ? 'not on this system' : undefined)
      if (refused) skip('xattr', `${name}: ${refused}`)
      else if (!this.#setter) skip('xattr', `${name}: neither perl, python3 nor the package fs-xattr is installed`)
      else this.#setter.set(path, name, value, reason => skip('xattr', `${name}: ${reason}`))
    }
  }
}

/** Returns the time that the system can store. Node passes microseconds; finer PAX times are truncated. */
function timeOf({ mtime }: DirectoryMetadata, skip: Skip): number {
  if (mtime >= 0 && mtime <= LAST_SECOND) return mtime
  const kept = mtime > LAST_SECOND ? LAST_SECOND : 0
  skip('mtime', `${mtime} is a time that file systems or Node cannot set; it is ${kept}`)
  return kept
}
