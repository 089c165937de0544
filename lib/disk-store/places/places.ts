import { lstatSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { DIGEST_ALGORITHMS, type Digest, splitDigest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { describeKind } from '../../internal/record-file.ts'
import { asStoreError } from '../io-error.ts'

/** Directories that a store may have, parents first. */
const OWN_DIRECTORIES = [
  'ingests',
  'locks',
  'leases',
  'facts',
  'indexes',
  'cache',
  'cache/mounts',
  'trash',
  'unsynced',
  'ballast',
  'quarantine',
  'snapshots',
  'containers',
]

/**
 * Paths in a store. Every path of the store is made here.
 *
 * SAFETY: an untrusted store may have a symbolic link in the place of a directory, and a path through it would read,
 * write and remove files outside the store. So each getter checks the directories of its path on each call; callers
 * keep this object and a name, never a path. The last component is checked by the caller, which opens it with
 * `READ_FLAGS`, creates it exclusively, or uses calls that do not follow links (`rename`, `unlink`, `lutimes`).
 *
 * PERF: a path costs one synchronous `lstat` for each of its directories, 2 µs each. A loop over many files of one
 * directory gets the directory once for each batch.
 */
export class Places {
  /** The store itself, as the caller gave it; it may be a symbolic link. */
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  get layout(): string {
    return join(this.root, 'oci-layout')
  }

  get index(): string {
    return join(this.root, 'index.json')
  }

  get blobs(): string {
    return this.directory('blobs')
  }

  get own(): string {
    return this.directory('.layerstore')
  }

  get format(): string {
    return join(this.own, 'format.json')
  }

  get ingests(): string {
    return this.directory('.layerstore/ingests')
  }

  get locks(): string {
    return this.directory('.layerstore/locks')
  }

  get indexLock(): string {
    return join(this.locks, 'index')
  }

  /** Lock of the running collection. */
  get collectLock(): string {
    return join(this.locks, 'collect')
  }

  get leases(): string {
    return this.directory('.layerstore/leases')
  }

  /** Records of build caches. */
  get cache(): string {
    return this.directory('.layerstore/cache')
  }

  /** Damaged files. */
  get quarantine(): string {
    return this.directory('.layerstore/quarantine')
  }

  /** Blobs that a collection is removing. */
  get trash(): string {
    return this.directory('.layerstore/trash')
  }

  /** Markers of stores with unsynced blobs; see `batch/`. */
  get unsynced(): string {
    return this.directory('.layerstore/unsynced')
  }

  /** Containers, one directory each. */
  get containers(): string {
    return this.directory('.layerstore/containers')
  }

  /** Reserved space; see `reserve.ts`. */
  get ballast(): string {
    return this.directory('.layerstore/ballast')
  }

  /** File whose time is the removal counter; see `removals.ts`. */
  get removals(): string {
    return join(this.own, 'removals')
  }

  /** The path of a blob. */
  blob(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest)
    return join(this.directory(`blobs/${algorithm}`), hex)
  }

  /** The path of a blob in the trash. */
  trashed(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest)
    return join(this.trash, `${algorithm}-${hex}`)
  }

  /** Whether a collection has ever moved a blob to the trash: the directory is created before and never removed. */
  hasTrash(): boolean {
    return this.#look('.layerstore')?.isDirectory() === true && this.#look('.layerstore/trash') !== undefined
  }

  /** The path of a file, from its name relative to the store: `.layerstore/leases/1-ab.json`. */
  file(name: string): string {
    const slash = name.lastIndexOf('/')
    return slash < 0 ? join(this.root, name) : join(this.directory(name.slice(0, slash)), name.slice(slash + 1))
  }

  /**
   * The path of a directory, from its name relative to the store. It need not exist.
   *
   * @throws {@link StoreError} `ERR_STORE_FORMAT` if it, or a parent, is a symbolic link; `ERR_STORE_IO`.
   */
  directory(name: string): string {
    const path = join(this.root, name)
    for (let end = name.indexOf('/'); ; end = name.indexOf('/', end + 1)) {
      const part = end < 0 ? name : name.slice(0, end)
      const stats = this.#look(part)
      if (stats?.isSymbolicLink()) throw notDirectory(part, stats)
      // No path exists below an entry that is not a directory; the caller gets the system's error.
      if (end < 0 || !stats?.isDirectory()) return path
    }
  }

  /**
   * Checks that each directory of the store is a directory or does not exist, so that a store with a symbolic link is
   * refused before anything is done with it.
   *
   * @throws {@link StoreError} `ERR_STORE_FORMAT`, `ERR_STORE_IO`.
   */
  proveAll(): void {
    for (const name of ['blobs', '.layerstore', ...OWN_DIRECTORIES.map(own => `.layerstore/${own}`)]) {
      const stats = this.#look(name)
      if (stats && !stats.isDirectory()) throw notDirectory(name, stats)
    }
    // Other tools may keep any files beside the directories of blobs.
    for (const algorithm of Object.keys(DIGEST_ALGORITHMS)) this.directory(`blobs/${algorithm}`)
  }

  #look(name: string): Stats | undefined {
    try {
      return lstatSync(join(this.root, name), { throwIfNoEntry: false })
    } catch (error) {
      if (isErrno(error, 'ENOTDIR')) return undefined
      throw asStoreError({ act: 'look at', path: name }, error)
    }
  }
}

function notDirectory(name: string, stats: Stats): StoreError {
  const advice = stats.isSymbolicLink() ? ': a store follows no link; put the directory itself in its place' : ''
  return new StoreError('ERR_STORE_FORMAT', `${name} is ${describeKind(stats)}, not a directory${advice}`)
}

/** The path of a blob, relative to the store. */
export function blobName(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest)
  return `blobs/${algorithm}/${hex}`
}
