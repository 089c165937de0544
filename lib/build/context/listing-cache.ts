import { statfsSync } from 'node:fs'
import { digestOf } from '../../digest/index.ts'
import { encodeName } from '../../internal/name-bytes.ts'
import type { ListedName } from '../../layer/index.ts'
import type { DerivedStore } from '../../store/index.ts'
import type { Identity } from './file-identity.ts'
import { type FoundListing, packListing, StoredListings } from './stored-listings.ts'

/** The store keeps at most 16 MiB under one key: about 200,000 paths. */
const MOST_BYTES = 15 * 1024 * 1024

/**
 * File systems of Linux, by the number of `statfs`, that set both times of a directory when a name in it is added,
 * removed or replaced: ext2 to ext4, XFS, Btrfs, tmpfs.
 *
 * SAFETY: not overlayfs. A directory has the times of its topmost layer, also when a name was added in a lower one.
 */
const SET_TIMES: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994])

/** A new record, or the first and the last position of stored records that are neighbours. */
type KeptRecords = Buffer | { readonly begin: number; end: number }

/**
 * Names in the directories of one context, kept from build to build in the derived data of a store. They count only for
 * a directory of the same identity (`identityOf`).
 *
 * SAFETY: a listing that is out of date would leave a new file out of an image. The kernel sets the change
 * time of a directory when a name in it is added or removed, and no call can set that time back. A network file system
 * may return an older time, so the cache is used on local file systems of Linux only.
 */
export class ListingCache {
  readonly #derived: DerivedStore
  readonly #key: string
  readonly #before: StoredListings
  /** Records that this build used or made, in the order of its lookups: the next build finds them in order. */
  readonly #kept: KeptRecords[] = []
  #changed = false

  private constructor(derived: DerivedStore, key: string, before: Uint8Array | undefined) {
    this.#derived = derived
    this.#key = key
    this.#before = new StoredListings(before)
  }

  /** Opens the listings of a directory; `undefined` without a store, and on a file system that is not trusted. */
  static async open(derived: DerivedStore | undefined, directory: string): Promise<ListingCache | undefined> {
    if (!derived || process.platform !== 'linux' || !setsTimes(directory)) return undefined
    const name = (await digestOf(encodeName(directory), { hasher: 'native' })).slice('sha256:'.length)
    const key = `listing:${name}`
    return new ListingCache(derived, key, await derived.get('facts', key).catch(() => undefined))
  }

  /** The listings of earlier builds, as {@link StoredListings} reads them. */
  get stored(): Uint8Array {
    return this.#before.bytes
  }

  /** Returns the names of a directory. PERF: ask once for a directory, in the same order in every build. */
  get(path: string, identity: Identity): FoundListing | undefined {
    const found = this.#before.get(path, identity)
    if (!found) return undefined
    // PERF: neighbours are joined, so that the list stays short.
    const last = this.#kept.at(-1)
    if (last && 'begin' in last && last.end === found.begin) last.end = found.end
    else this.#kept.push({ begin: found.begin, end: found.end })
    return found
  }

  /** Keeps names that were read from a directory whose identity was taken before. */
  set(path: string, identity: string, names: readonly ListedName[]): void {
    this.#changed = true
    this.#kept.push(packListing(path, identity, names))
  }

  /** Stores what has changed. Best effort: without it the directories are read again. */
  async save(): Promise<void> {
    if (!this.#changed) return
    this.#changed = false
    const records = this.#kept.map(kept => ('begin' in kept ? this.#before.records(kept.begin, kept.end) : kept))
    if (records.reduce((sum, { byteLength }) => sum + byteLength, 0) > MOST_BYTES) return
    await this.#derived.set('facts', this.#key, StoredListings.encode(records)).catch(() => undefined)
  }
}

function setsTimes(directory: string): boolean {
  try {
    return SET_TIMES.has(statfsSync(directory).type)
  } catch {
    return false
  }
}
