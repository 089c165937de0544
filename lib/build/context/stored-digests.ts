import { decodeName, encodeName } from '../../internal/name-bytes.ts'
import { equalsText } from './equals-text.ts'
import { type Identity, isIdentity } from './file-identity.ts'

const VERSION = 'layerstore context digests 1'
const HEADER: Buffer = encodeName(`${VERSION}\0`)
/** Bytes of one stored part. The store keeps at most 16 MiB under one key. */
const PART_BYTES = 12 * 1024 * 1024
const FLUSHED_CHARACTERS = 256 * 1024
const HEX_DIGITS = 64
const DIGEST = /^[0-9a-f]{64}/

/** A stored record: a path, and what is known of the file: its digest in hex, then its identity. */
export type DigestRecord = readonly [path: string, known: string]

/**
 * Records of earlier builds, as bytes.
 *
 * PERF: files are looked up in the order in which the last build stored them, so the next record is nearly always the
 * wanted one. Tens of thousands of records are then neither cut into strings nor put into a map, and those that are
 * still true are stored again as they are.
 */
export class StoredDigests {
  readonly #parts: readonly Buffer[]
  #part = 0
  #at = HEADER.byteLength
  /** Beginning of the records of this part that were used since the last `takeUsed`. */
  #usedFrom = HEADER.byteLength
  #used: Buffer[] = []
  /** All records by their paths, once a lookup was out of order. */
  #byPath: Map<string, string> | undefined

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts.map(part => Buffer.from(part.buffer, part.byteOffset, part.byteLength))
  }

  /** True for a part that this version understands. */
  static understands(part: Uint8Array): boolean {
    return Buffer.compare(part.subarray(0, HEADER.byteLength), HEADER) === 0
  }

  /** True once a lookup was out of order. From then on `takeUsed` does not tell which records were used. */
  get isMapped(): boolean {
    return this.#byPath !== undefined
  }

  /** Returns what is known of a file, if it has the given identity: its digest in hex, then its exact identity. */
  get(path: string, identity: Identity): string | undefined {
    if (!this.#byPath) {
      const next = this.#next(path)
      if (next !== undefined) {
        if (isIdentity(next.known, HEX_DIGITS, identity)) return next.known
        this.#skip(next.begin)
        return undefined
      }
      this.#byPath = new Map(recordsOf(this.#parts, 0, HEADER.byteLength))
    }
    const known = this.#byPath.get(path)
    return known !== undefined && isIdentity(known, HEX_DIGITS, identity) ? known : undefined
  }

  /** Bytes of the records that were looked up in order and were true, since the last call. */
  takeUsed(): readonly Buffer[] {
    this.#endRange(this.#at)
    this.#usedFrom = this.#at
    return this.#used.splice(0)
  }

  /** Yields the records behind those that were looked up in order. */
  rest(): Iterable<DigestRecord> {
    return recordsOf(this.#parts, this.#part, this.#at)
  }

  /** Leaves a record out of those that were used; it begins at an offset, and was the last one. */
  #skip(begin: number): void {
    this.#endRange(begin)
    this.#usedFrom = this.#at
  }

  #endRange(end: number): void {
    const part = this.#parts[this.#part]
    if (part && end > this.#usedFrom) this.#used.push(part.subarray(this.#usedFrom, end))
  }

  /** Returns the next record if it is that of the path. */
  #next(path: string): { readonly known: string; readonly begin: number } | undefined {
    const part = this.#parts[this.#part]
    if (!part) return undefined
    if (this.#at >= part.byteLength) {
      this.#endRange(this.#at)
      this.#part++
      this.#at = this.#usedFrom = HEADER.byteLength
      return this.#next(path)
    }
    const begin = this.#at
    const middle = part.indexOf(0, begin)
    const end = middle < 0 ? -1 : part.indexOf(0, middle + 1)
    if (end < 0 || !equalsText(part, middle + 1, end, path)) return undefined
    const known = part.toString('latin1', begin, middle)
    if (!DIGEST.test(known)) return undefined
    this.#at = end + 1
    return { known, begin }
  }
}

/** Yields records in their order, from an offset in a part on; damage ends a part. */
function* recordsOf(parts: readonly Buffer[], first: number, offset: number): Generator<DigestRecord, void, undefined> {
  for (const [i, part] of parts.entries()) {
    if (i < first) continue
    for (let at = i === first ? offset : HEADER.byteLength; at < part.byteLength; ) {
      const middle = part.indexOf(0, at)
      const end = middle < 0 ? -1 : part.indexOf(0, middle + 1)
      const known = part.toString('latin1', at, Math.max(at, middle))
      if (end < 0 || !DIGEST.test(known)) break
      yield [decodeName(part.subarray(middle + 1, end)), known]
      at = end + 1
    }
  }
}

/**
 * Encodes records as parts for the store, at most `most`; what does not fit is left out. Bytes are records that
 * {@link StoredDigests.takeUsed} or {@link packRecords} returned.
 */
export function digestParts(records: Iterable<DigestRecord | Buffer>, most: number): Buffer[] {
  const parts: Buffer[] = []
  let pieces: Buffer[] = []
  let lines = ''
  let size = 0
  const flush = () => {
    if (lines !== '') pieces.push(encodeName(lines))
    lines = ''
  }
  const end = () => {
    flush()
    if (pieces.length > 0 && parts.length < most) parts.push(Buffer.concat([HEADER, ...pieces]))
    pieces = []
    size = 0
  }
  for (const record of records) {
    const line = Buffer.isBuffer(record) ? '' : lineOf(record)
    // A character takes at most three bytes.
    const bytes = Buffer.isBuffer(record) ? record.byteLength : line.length * 3
    if (size + bytes > PART_BYTES) end()
    size += bytes
    if (Buffer.isBuffer(record)) {
      flush()
      pieces.push(record)
    } else {
      lines += line
      // PERF: one text of all records would need several times its size.
      if (lines.length >= FLUSHED_CHARACTERS) flush()
    }
  }
  end()
  return parts
}

/** Encodes records as {@link digestParts} takes them. */
export function packRecords(records: readonly DigestRecord[]): Buffer {
  return encodeName(records.map(lineOf).join(''))
}

function lineOf([path, known]: DigestRecord): string {
  return `${known}\0${path}\0`
}
