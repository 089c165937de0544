import { createDigester, type Digest } from '../../digest/index.ts'
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

/** Digest of texts, each after its length in four bytes. */
export async function digestOfFrames(texts: () => Iterable<string>): Promise<Digest> {
  const digester = await createDigester()
  try {
    let pieces: Buffer[] = []
    let bytes = 0
    for (const text of texts()) {
      const encoded = encodeName(text)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(encoded.byteLength)
      pieces.push(length, encoded)
      bytes += 4 + encoded.byteLength
      if (bytes < PIECE_BYTES) continue
      digester.update(Buffer.concat(pieces))
      pieces = []
      bytes = 0
    }
    digester.update(Buffer.concat(pieces))
    return digester.digest()
  } finally {
    digester.release()
  }
}
