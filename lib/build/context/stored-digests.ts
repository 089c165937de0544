import { decodeName, encodeName } from '../../internal/name-bytes.ts'

const VERSION = 'layerstore context digests 1'
const HEADER: Buffer = encodeName(`${VERSION}\0`)
/** Bytes of one stored part. The store keeps at most 16 MiB under one key. */
const PART_BYTES = 12 * 1024 * 1024
const DIGEST = /^[0-9a-f]{64}/

/** A stored record: a path, and what is known of the file: its digest in hex, then its identity. */
export type DigestRecord = readonly [path: string, known: string]

/**
 * Records of earlier builds, as bytes.
 *
 * PERF: files are looked up in the order in which the last build stored them, so the next record is nearly always the
 * wanted one. Tens of thousands of records are then neither cut into strings nor put into a map.
 */
export class StoredDigests {
  readonly #parts: Buffer[]
  #part = 0
  #at = HEADER.byteLength
  /** All records by their paths, once a lookup was out of order. */
  #byPath: Map<string, string> | undefined

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts.map(part => Buffer.from(part.buffer, part.byteOffset, part.byteLength))
  }

  /** True for a part that this version understands. */
  static understands(part: Uint8Array): boolean {
    return Buffer.compare(part.subarray(0, HEADER.byteLength), HEADER) === 0
  }

  /** Returns what is known of a file. */
  get(path: string): string | undefined {
    if (!this.#byPath) {
      const next = this.#next(path)
      if (next !== undefined) return next
      this.#byPath = new Map(this.records())
    }
    return this.#byPath.get(path)
  }

  /** Returns the next record if it is that of the path. */
  #next(path: string): string | undefined {
    const part = this.#parts[this.#part]
    if (!part) return undefined
    if (this.#at >= part.byteLength) {
      // The caller knows all files of the part by now.
      this.#parts[this.#part] = HEADER
      this.#part++
      this.#at = HEADER.byteLength
      return this.#next(path)
    }
    const middle = part.indexOf(0, this.#at)
    const end = middle < 0 ? -1 : part.indexOf(0, middle + 1)
    if (end < 0 || !isName(part, middle + 1, end, path)) return undefined
    const known = part.toString('latin1', this.#at, middle)
    this.#at = end + 1
    return DIGEST.test(known) ? known : undefined
  }

  /** Yields the records in their order, without those of parts that were looked up whole; damage ends a part. */
  *records(): Generator<DigestRecord, void, undefined> {
    for (const part of this.#parts) {
      for (let at = HEADER.byteLength; at < part.byteLength; ) {
        const middle = part.indexOf(0, at)
        const end = middle < 0 ? -1 : part.indexOf(0, middle + 1)
        const known = part.toString('latin1', at, Math.max(at, middle))
        if (end < 0 || !DIGEST.test(known)) break
        yield [decodeName(part.subarray(middle + 1, end)), known]
        at = end + 1
      }
    }
  }
}

/** Compares a stored name with a path; nearly all are ASCII, where a byte is a character. */
function isName(part: Buffer, from: number, to: number, path: string): boolean {
  const text = part.toString('latin1', from, to)
  return text === path ? isAscii(text) : !isAscii(text) && decodeName(part.subarray(from, to)) === path
}

function isAscii(text: string): boolean {
  return /^[\x01-\x7f]*$/.test(text)
}

/** Encodes records as parts for the store, at most `most`; what does not fit is left out. */
export function digestParts(records: Iterable<DigestRecord>, most: number): Buffer[] {
  const parts: Buffer[] = []
  let lines: string[] = []
  let size = 0
  const end = () => {
    if (lines.length > 0 && parts.length < most) parts.push(encodeName(`${VERSION}\0${lines.join('')}`))
    lines = []
    size = 0
  }
  for (const [path, known] of records) {
    const line = `${known}\0${path}\0`
    // A character takes at most three bytes.
    if (size + line.length * 3 > PART_BYTES) end()
    size += line.length * 3
    lines.push(line)
  }
  end()
  return parts
}
