import { LimitError } from '../../errors/index.ts'
import { MAX_PATH_BYTES } from '../normalize-path.ts'
import type { TarHeader } from '../tar-entry.ts'
import { MAX_PAX_BYTES } from '../write/pax-block.ts'
import { type Extensions, entryHeader, paxSize } from './entry-header.ts'
import { ENTRY_TYPES, invalid, parseHeader, type RawHeader } from './parse-header.ts'
import { parsePax } from './parse-pax.ts'

const BLOCK = 512

/** A header, and where in the archive its content begins. */
export interface ScannedHeader extends TarHeader {
  /** Byte of the archive where the content begins. */
  readonly offset: number
}

/** An extended header whose body is being collected. */
interface OpenExtension {
  readonly block: Buffer
  readonly raw: RawHeader
  readonly at: number
  readonly body: Buffer
  filled: number
}

/**
 * Walks an archive by its header blocks in front of the extractor: checks every header before the extractor sees it,
 * decodes what the extractor would lose, and finds the end of the archive.
 *
 * @internal
 */
export class HeaderScanner {
  /** Headers of the entries that were passed on and not taken yet, in order. */
  readonly headers: ScannedHeader[] = []
  readonly #block = Buffer.alloc(BLOCK)
  #filled = 0
  #offset = 0
  #skip = 0
  #drop = false
  #zeroBlock = false
  #ended = false
  #extension: OpenExtension | undefined
  #pending: Extensions = {}

  /** To be called when the stream has ended: throws if the archive has not. A missing end mark is no fault. */
  end(): void {
    const complete = this.#filled === 0 && this.#skip === 0 && !this.#extension
    if (!complete) throw invalid('archive is truncated', this.#offset + this.#filled)
    if (this.#hasPending()) throw invalid('extended header without an entry', this.#offset)
  }

  /** The bytes of a chunk that the extractor may see; what lies after the end of the archive is left out. */
  *scan(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    for (let at = 0; at < chunk.byteLength && !this.#ended; ) {
      const left = chunk.byteLength - at
      if (this.#extension) {
        at += this.#collect(this.#extension, chunk.subarray(at))
        if (this.#extension.filled === this.#extension.body.byteLength) yield* this.#closeExtension(this.#extension)
      } else if (this.#skip > 0) {
        const size = Math.min(this.#skip, left)
        if (!this.#drop) yield chunk.subarray(at, at + size)
        this.#skip -= size
        this.#offset += size
        at += size
      } else {
        const size = Math.min(BLOCK - this.#filled, left)
        this.#block.set(chunk.subarray(at, at + size), this.#filled)
        this.#filled += size
        at += size
        if (this.#filled === BLOCK) yield* this.#closeBlock()
      }
    }
  }

  *#closeBlock(): Generator<Uint8Array, void, undefined> {
    const at = this.#offset
    this.#offset += BLOCK
    this.#filled = 0
    if (isZero(this.#block)) {
      this.#closeZeroBlock(at)
      return
    }
    if (this.#zeroBlock) throw invalid('entry after a zero block', at)
    const block = Buffer.from(this.#block)
    const raw = parseHeader(block, at)
    if ('xgLK'.includes(raw.flag)) {
      this.#openExtension(block, raw, at)
      return
    }
    const size = this.#closeHeader(raw, at)
    this.#skip = padded(size)
    this.#drop = false
    yield block
  }

  #closeZeroBlock(at: number): void {
    if (this.#hasPending()) throw invalid('extended header without an entry', at)
    this.#ended = this.#zeroBlock
    this.#zeroBlock = true
  }

  #closeHeader(raw: RawHeader, at: number): number {
    const type = ENTRY_TYPES[raw.flag]
    if (!type) throw invalid(`entry of the unsupported type ${JSON.stringify(raw.flag)}`, at)
    const size = paxSize(this.#pending.pax, at) ?? raw.size
    // The block has been counted already, so this is where the content begins.
    this.headers.push({ ...entryHeader(type, { ...raw, size }, this.#pending, at), offset: this.#offset })
    this.#pending = {}
    return size
  }

  #openExtension(block: Buffer, raw: RawHeader, at: number): void {
    const { flag, size } = raw
    // SAFETY: the claimed size is refused before anything of it is kept.
    const limit = flag === 'L' || flag === 'K' ? MAX_PATH_BYTES + BLOCK : MAX_PAX_BYTES
    if (size > limit) throw new LimitError('bytes of an extended tar header', { limit, actual: size })
    const taken = { x: this.#pending.pax, L: this.#pending.longName, K: this.#pending.longLink }[flag]
    if (taken) throw invalid('two extended headers of one kind for one entry', at)
    // What a global header says of all entries, other readers apply or ignore; here nothing in it has an effect.
    this.#extension = { block, raw, at, body: Buffer.alloc(size), filled: 0 }
    if (size === 0) throw invalid('empty extended header', at)
  }

  #collect(extension: OpenExtension, chunk: Uint8Array): number {
    const size = Math.min(extension.body.byteLength - extension.filled, chunk.byteLength)
    extension.body.set(chunk.subarray(0, size), extension.filled)
    extension.filled += size
    this.#offset += size
    return size
  }

  *#closeExtension({ block, raw, at, body }: OpenExtension): Generator<Uint8Array, void, undefined> {
    this.#extension = undefined
    this.#skip = padded(body.byteLength) - body.byteLength
    this.#drop = raw.flag === 'g'
    if (raw.flag === 'g') {
      parsePax(body, at + BLOCK)
      return
    }
    if (raw.flag === 'x') this.#pending.pax = parsePax(body, at + BLOCK)
    if (raw.flag === 'L') this.#pending.longName = body
    if (raw.flag === 'K') this.#pending.longLink = body
    yield block
    yield body
  }

  #hasPending(): boolean {
    const { pax, longName, longLink } = this.#pending
    return pax !== undefined || longName !== undefined || longLink !== undefined
  }
}

function isZero(block: Buffer): boolean {
  return block[0] === 0 && block.every(byte => byte === 0)
}

function padded(size: number): number {
  return size + ((BLOCK - (size % BLOCK)) % BLOCK)
}
