import { type Digest, digestOf } from '../../digest/index.ts'
import { encodeName } from '../../internal/name-bytes.ts'
import type { DerivedStore } from '../../store/index.ts'
import { type Identity, isIdentity } from './file-identity.ts'
import { type DigestRecord, digestParts, packRecords, StoredDigests } from './stored-digests.ts'

/** SAFETY: parts of one directory; more are not kept, and those files are hashed again. */
const MOST_PARTS = 64
const HEX_DIGITS = 64
const PACKED_AT_ONCE = 1024
/** Files that are kept although this build did not ask for them; a larger build keeps as many as it asked for. */
const KEPT_OTHERS = 100_000

/** Facts of this build about a file. */
export interface KnownFile {
  readonly digest: Digest
  /** False if the file may change again without another identity: its digest is not kept for later builds. */
  readonly settled: boolean
}

/** A file with its exact identity. */
interface IdentifiedFile extends KnownFile {
  readonly identity: string
}

/**
 * Digests of the files of one directory, kept from build to build in the derived data of a store. A digest counts only
 * for a file of the same identity (`identityOf`).
 */
export class DigestCache {
  readonly #derived: DerivedStore | undefined
  readonly #key: string
  readonly #before: StoredDigests
  /** Files that were hashed by this build, and those that were looked up out of order. */
  readonly #now = new Map<string, IdentifiedFile>()
  /** Records that this build used or made, in the order of its lookups: the next build finds them in order. */
  readonly #kept: Buffer[] = []
  /** The last of them. PERF: a thousand records are packed at a time; as strings they take three times the memory. */
  #recent: DigestRecord[] = []
  readonly #parts: number
  #changed = false

  private constructor(derived: DerivedStore | undefined, key: string, parts: readonly Uint8Array[]) {
    this.#derived = derived
    this.#key = key
    this.#before = new StoredDigests(parts)
    this.#parts = parts.length
  }

  /** True if earlier builds have kept digests. */
  get isWarm(): boolean {
    return this.#parts > 0
  }

  /** Opens the cache of a directory. Without a store it lives as long as the object. */
  static async open(derived: DerivedStore | undefined, directory: string): Promise<DigestCache> {
    const key = `context:${(await digestOf(encodeName(directory), { hasher: 'native' })).slice('sha256:'.length)}`
    return new DigestCache(derived, key, await load(derived, key))
  }

  /**
   * Returns what is known of a file. PERF: ask once for a file, in the same order in every build, and keep the answer.
   */
  get(path: string, identity: Identity): KnownFile | undefined {
    const now = this.#now.get(path)
    if (now) return isIdentity(now.identity, 0, identity) ? now : undefined
    const before = this.#before.get(path, identity)
    if (before === undefined) return undefined
    const known = { digest: `sha256:${before.slice(0, HEX_DIGITS)}` as Digest, settled: true }
    if (this.#before.isMapped) this.#keep(path, { ...known, identity: before.slice(HEX_DIGITS) })
    return known
  }

  set(path: string, identity: string, digest: Digest, settled: boolean): KnownFile {
    const known = { identity, digest, settled }
    this.#keep(path, known)
    this.#changed = true
    return known
  }

  #keep(path: string, known: IdentifiedFile): void {
    this.#keepUsed()
    this.#now.set(path, known)
    if (!known.settled) return
    this.#recent.push([path, known.digest.slice('sha256:'.length) + known.identity])
    if (this.#recent.length === PACKED_AT_ONCE) this.#pack()
  }

  #keepUsed(): void {
    const used = this.#before.takeUsed()
    if (used.length === 0) return
    this.#pack()
    this.#kept.push(...used)
  }

  #pack(): void {
    if (this.#recent.length > 0) this.#kept.push(packRecords(this.#recent))
    this.#recent = []
  }

  /** Stores what has changed. Best effort: without it the files are hashed again. */
  async save(): Promise<void> {
    if (!this.#derived || !this.#changed) return
    this.#changed = false
    const parts = digestParts(this.#records(), MOST_PARTS)
    try {
      for (const [i, part] of parts.entries()) await this.#derived.set('facts', `${this.#key}:${i}`, part)
      for (let i = parts.length; i < this.#parts; i++) await this.#derived.delete('facts', `${this.#key}:${i}`)
    } catch {
      // A full disk or a store opened for reading must not fail a build.
    }
  }

  /** Another build of the directory may ask for other files; those that are gone must not pile up. */
  *#records(): Generator<DigestRecord | Buffer, void, undefined> {
    this.#keepUsed()
    this.#pack()
    yield* this.#kept
    let others = Math.max(KEPT_OTHERS, this.#now.size)
    for (const record of this.#before.rest()) {
      if (others === 0) return
      if (this.#now.has(record[0])) continue
      others--
      yield record
    }
  }
}

async function load(derived: DerivedStore | undefined, key: string): Promise<readonly Uint8Array[]> {
  const parts: Uint8Array[] = []
  while (derived && parts.length < MOST_PARTS) {
    const part = await derived.get('facts', `${key}:${parts.length}`).catch(() => undefined)
    if (!part || !StoredDigests.understands(part)) break
    parts.push(part)
  }
  return parts
}
