import { decodeName, encodeName } from '../../internal/name-bytes.ts'
import type { ListedName } from '../../layer/index.ts'
import { equalsText } from './equals-text.ts'
import { type Identity, isIdentity } from './file-identity.ts'

const HEADER: Buffer = encodeName('layerstore listings 1\0')
const TWO_ZEROS: Buffer = Buffer.alloc(2)

/** One character for each type; `-` is what cannot be in a layer. */
const TYPES: Readonly<Record<string, ListedName['type']>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  p: 'fifo',
  c: 'character-device',
  b: 'block-device',
  '-': undefined,
}
const CHARACTERS: ReadonlyMap<ListedName['type'], string> = new Map(
  Object.entries(TYPES).map(([character, type]) => [type, character]),
)

/** A stored listing, and the place of its record. */
export interface FoundListing {
  readonly names: readonly ListedName[]
  /** Number of names in the records before this one; infinite once a lookup was out of order. */
  readonly row: number
  readonly begin: number
  readonly end: number
}

/** Offsets of the parts of a record. */
interface Place {
  readonly begin: number
  readonly pathEnd: number
  readonly identityEnd: number
  readonly end: number
}

/**
 * Listings of earlier builds, as bytes. A record is the path, the identity, and each name after the character of its
 * type, each of them ended by a zero; one more zero ends the record.
 *
 * PERF: a scan asks in the order of the records, so `get` compares the next record first. It indexes all records only
 * if that one does not match.
 */
export class StoredListings {
  readonly #bytes: Buffer
  #at = HEADER.byteLength
  /** Number of names in the records before `#at`. */
  #row = 0
  /** Places of all records, once a lookup was out of order. */
  #byPath: Map<string, Place> | undefined

  constructor(bytes: Uint8Array | undefined) {
    const given = bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : HEADER
    this.#bytes = given.subarray(0, HEADER.byteLength).equals(HEADER) ? given : HEADER
  }

  /** Encodes records that {@link packListing} or {@link StoredListings.records} returned. */
  static encode(records: readonly Buffer[]): Buffer {
    return Buffer.concat([HEADER, ...records])
  }

  /** Returns the listing of a directory, if it has the given identity. */
  get(path: string, identity: Identity): FoundListing | undefined {
    const place = this.#find(path)
    if (!place) return undefined
    const { begin, pathEnd, identityEnd, end } = place
    const names = this.#namesAt(place)
    const row = this.#byPath ? Number.POSITIVE_INFINITY : this.#row
    // The rows behind a damaged record are not known.
    this.#row += names?.length ?? Number.POSITIVE_INFINITY
    if (!isIdentity(this.#bytes.toString('latin1', pathEnd + 1, identityEnd), 0, identity)) return undefined
    return names && { names, row, begin, end }
  }

  /** Yields all listings in their order, up to a damaged one. */
  *all(): Generator<{ readonly path: string; readonly names: readonly ListedName[] }, void, undefined> {
    for (let place = this.#placeAt(HEADER.byteLength); place; place = this.#placeAt(place.end)) {
      const names = this.#namesAt(place)
      if (!names) return
      yield { path: this.#pathAt(place), names }
    }
  }

  /** The bytes of all records. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** The bytes of records that are neighbours. */
  records(begin: number, end: number): Buffer {
    return this.#bytes.subarray(begin, end)
  }

  #find(path: string): Place | undefined {
    if (!this.#byPath) {
      const next = this.#placeAt(this.#at)
      if (next && equalsText(this.#bytes, next.begin, next.pathEnd, path)) {
        this.#at = next.end
        return next
      }
      this.#byPath = new Map()
      for (let place = this.#placeAt(HEADER.byteLength); place; place = this.#placeAt(place.end)) {
        this.#byPath.set(this.#pathAt(place), place)
      }
    }
    return this.#byPath.get(path)
  }

  /** Finds the parts of the record that begins here; `undefined` at the end and at damage, so damage ends the list. */
  #placeAt(begin: number): Place | undefined {
    const bytes = this.#bytes
    const pathEnd = bytes.indexOf(0, begin)
    const identityEnd = pathEnd < 0 ? -1 : bytes.indexOf(0, pathEnd + 1)
    if (identityEnd < 0) return undefined
    const zeros = bytes.indexOf(TWO_ZEROS, identityEnd)
    return zeros < 0 ? undefined : { begin, pathEnd, identityEnd, end: zeros + 2 }
  }

  #namesAt({ identityEnd, end }: Place): readonly ListedName[] | undefined {
    return namesOf(textOf(this.#bytes, identityEnd + 1, end - 1))
  }

  #pathAt({ begin, pathEnd }: Place): string {
    return textOf(this.#bytes, begin, pathEnd)
  }
}

/** Encodes a listing. */
export function packListing(path: string, identity: string, names: readonly ListedName[]): Buffer {
  const lines = names.map(({ name, type }) => `${CHARACTERS.get(type)}${name}\0`)
  return encodeName(`${path}\0${identity}\0${lines.join('')}\0`)
}

/** The names of a record, in their order; `undefined` if a type is unknown. */
function namesOf(lines: string): readonly ListedName[] | undefined {
  const names: ListedName[] = []
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\0', at)
    const character = lines[at]!
    if (end < at + 2 || !Object.hasOwn(TYPES, character)) return undefined
    names.push({ name: lines.slice(at + 1, end), type: TYPES[character] })
    at = end + 1
  }
  return names
}

/** PERF: nearly all names are ASCII, where a byte is a character. */
function textOf(bytes: Buffer, from: number, to: number): string {
  const text = bytes.toString('latin1', from, to)
  return /^[\0-\x7f]*$/.test(text) ? text : decodeName(bytes.subarray(from, to))
}
