import { createDigester, type Digest, type Digester } from '../../digest/index.ts'
import { encodeName } from '../../internal/name-bytes.ts'

/** Kind of a part of a key, or of a difference between two keys. */
export type KeySubject = 'file' | 'variable' | 'base' | 'instruction' | 'mount' | 'policy'

/** One dependency of the result of a step. */
export interface KeyPart {
  /** Kind of the part. */
  readonly what: KeySubject
  /** Name of the dependency, such as the name of a variable. */
  readonly name: string
  /** Value of the part. */
  readonly value: string
}

/** Version of all keys. Raise it when a step with the same parts gives another result. */
const VERSION = 1

/**
 * Digest of parts, in their order.
 *
 * SAFETY: every text is framed by its length, so no two lists of parts have the same bytes; names are encoded as the
 * bytes that they are on disk.
 */
export async function keyOf(parts: Iterable<KeyPart>): Promise<Digest> {
  return digestOfFrames(function* () {
    yield `layerstore build key ${VERSION}`
    for (const { what, name, value } of parts) {
      yield what
      yield name
      yield value
    }
  })
}

/** PERF: hashed in pieces of this size: a list of 40,000 files has 280,000 texts. */
const PIECE_BYTES = 256 * 1024
/** Bytes of the length before a text. */
const LENGTH_BYTES = 4

/** Digest of texts, each after its length in four bytes. */
export async function digestOfFrames(texts: () => Iterable<string>): Promise<Digest> {
  const frames = new FrameDigester(await createDigester({ hasher: 'native' }))
  try {
    for (const text of texts()) frames.add(text)
    return frames.digest()
  } finally {
    frames.release()
  }
}

/** Computes a digest of texts, each after its length in four bytes. End it with `release`. */
export class FrameDigester {
  readonly #digester: Digester
  // PERF: texts are encoded into one buffer; a buffer for each was half of the cost, and garbage.
  readonly #piece = Buffer.allocUnsafe(PIECE_BYTES)
  #filled = 0

  constructor(digester: Digester) {
    this.#digester = digester
  }

  add(text: string): void {
    // A UTF-16 unit takes at most three bytes.
    const most = LENGTH_BYTES + text.length * 3
    if (this.#filled + most > PIECE_BYTES) this.#flush()
    if (most > PIECE_BYTES) {
      updateLong(this.#digester, text)
      return
    }
    const at = this.#filled + LENGTH_BYTES
    const length = LONE.test(text) ? encodeName(text).copy(this.#piece, at) : this.#piece.write(text, at, 'utf8')
    this.#piece.writeUInt32BE(length, this.#filled)
    this.#filled = at + length
  }

  /**
   * Adds up to 255 texts, as {@link add} does for each.
   *
   * PERF: short texts of ASCII are joined with their lengths and encoded together, a byte for each character.
   */
  addAll(texts: readonly string[]): void {
    let joined = ''
    for (const text of texts) {
      if (text.length >= LENGTHS.length || (text !== '' && !ASCII.test(text))) {
        for (const each of texts) this.add(each)
        return
      }
      joined += LENGTHS[text.length]! + text
    }
    if (this.#filled + joined.length > PIECE_BYTES) this.#flush()
    this.#filled += this.#piece.write(joined, this.#filled, 'latin1')
  }

  digest(): Digest {
    this.#flush()
    return this.#digester.digest()
  }

  release(): void {
    this.#digester.release()
  }

  #flush(): void {
    this.#digester.update(this.#piece.subarray(0, this.#filled))
    this.#filled = 0
  }
}

const ASCII = /^[\x00-\x7f]*$/

/** Lengths of short texts in four bytes, as characters. */
const LENGTHS: readonly string[] = Array.from({ length: 1024 }, (_, length) =>
  String.fromCharCode(0, 0, length >> 8, length & 0xff),
)

/** Lone surrogates are bytes of names that are not UTF-8. */
const LONE = /[\udc80-\udcff]/

function updateLong(digester: Digester, text: string): void {
  const encoded = encodeName(text)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(encoded.byteLength)
  digester.update(length)
  digester.update(encoded)
}
