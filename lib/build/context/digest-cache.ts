import { type Digest, digestOf } from '../../digest/index.ts'
import { decodeName, encodeName } from '../../internal/name-bytes.ts'
import type { DerivedStore } from '../../store/index.ts'

/** Bytes of one stored part. The store keeps at most 16 MiB under one key. */
const PART_BYTES = 12 * 1024 * 1024
/** SAFETY: parts of one directory; more are not kept, and those files are hashed again. */
const MOST_PARTS = 64
const VERSION = 'layerstore context digests 1'
const HEX_DIGITS = 64
/** Files that are kept although this build did not ask for them; a larger build keeps as many as it asked for. */
const KEPT_OTHERS = 100_000

/**
 * Digests of the files of one directory, kept from build to build in the derived data of a store. A digest counts only
 * for a file of the same identity (`identityOf`).
 */
export class DigestCache {
  readonly #derived: DerivedStore | undefined
  readonly #key: string
  /**
   * Records of earlier builds that this build has not looked up yet, by path: the digest in hex, then the identity of
   * the file.
   *
   * PERF: one text for each of tens of thousands of files, not an object with two.
   */
  readonly #before: Map<string, string>
  /** The same for the files of this build. */
  readonly #now = new Map<string, string>()
  /** Files that may change again without another identity: their digests are not kept for later builds. */
  readonly #unsettled = new Set<string>()
  readonly #parts: number
  #changed = false

  private constructor(
    derived: DerivedStore | undefined,
    key: string,
    { known, parts }: { readonly known: Map<string, string>; readonly parts: number },
  ) {
    this.#derived = derived
    this.#key = key
    this.#before = known
    this.#parts = parts
  }

  /** Opens the cache of a directory. Without a store it lives as long as the object. */
  static async open(derived: DerivedStore | undefined, directory: string): Promise<DigestCache> {
    const key = `context:${(await digestOf(encodeName(directory))).slice('sha256:'.length)}`
    return new DigestCache(derived, key, await load(derived, key))
  }

  get(path: string, identity: string): Digest | undefined {
    const known = this.#now.get(path) ?? this.#before.get(path)
    if (known?.length !== HEX_DIGITS + identity.length || !known.endsWith(identity)) return undefined
    if (this.#before.delete(path)) this.#now.set(path, known)
    return `sha256:${known.slice(0, HEX_DIGITS)}` as Digest
  }

  /** The digest of a file whose identity changes with every later change of its content. */
  settled(path: string, identity: string): Digest | undefined {
    return this.#unsettled.has(path) ? undefined : this.get(path, identity)
  }

  set(path: string, identity: string, digest: Digest, settled: boolean): void {
    this.#before.delete(path)
    this.#now.set(path, digest.slice('sha256:'.length) + identity)
    if (settled) this.#unsettled.delete(path)
    else this.#unsettled.add(path)
    this.#changed = true
  }

  /** Stores what has changed. Best effort: without it the files are hashed again. */
  async save(): Promise<void> {
    if (!this.#derived || !this.#changed) return
    this.#changed = false
    // Another build of the directory may ask for other files; those that are gone must not pile up.
    const others = [...this.#before].slice(0, Math.max(KEPT_OTHERS, this.#now.size))
    const kept = [...this.#now].filter(([path]) => !this.#unsettled.has(path))
    const lines = [...kept, ...others].map(([path, known]) => `${known}\0${path}\0`)
    const parts = inParts(lines)
    try {
      for (const [i, part] of parts.entries()) await this.#derived.set('facts', `${this.#key}:${i}`, part)
      for (let i = parts.length; i < this.#parts; i++) await this.#derived.delete('facts', `${this.#key}:${i}`)
    } catch {
      // A full disk or a store opened for reading must not fail a build.
    }
  }
}

function inParts(lines: readonly string[]): Uint8Array[] {
  const parts: Uint8Array[] = []
  let begun = 0
  let size = 0
  const end = (at: number) => {
    if (at > begun && parts.length < MOST_PARTS) {
      parts.push(encodeName(`${VERSION}\0${lines.slice(begun, at).join('')}`))
    }
    begun = at
    size = 0
  }
  for (const [i, line] of lines.entries()) {
    // A character takes at most three bytes.
    const bytes = line.length * 3
    if (size + bytes > PART_BYTES) end(i)
    size += bytes
  }
  end(lines.length)
  return parts
}

async function load(
  derived: DerivedStore | undefined,
  key: string,
): Promise<{ known: Map<string, string>; parts: number }> {
  const known = new Map<string, string>()
  let parts = 0
  for (; derived && parts < MOST_PARTS; parts++) {
    const bytes = await derived.get('facts', `${key}:${parts}`).catch(() => undefined)
    if (!bytes || !addPart(known, decodeName(bytes))) break
  }
  return { known, parts }
}

/** False for a part that this version does not understand. */
function addPart(known: Map<string, string>, text: string): boolean {
  const fields = text.split('\0')
  if (fields[0] !== VERSION || fields.length % 2 !== 0) return false
  for (let i = 1; i + 1 < fields.length; i += 2) {
    if (!/^[0-9a-f]{64}/.test(fields[i]!)) return false
    known.set(fields[i + 1]!, fields[i]!)
  }
  return true
}
