import { LimitError } from '../../errors/index.ts'
import type { CompleteTarLimits } from '../tar-limits.ts'
import { BLOCK, invalid } from './header-block.ts'
import { parsePax, type ReadPaxRecords } from './parse-pax.ts'

/** Flags of headers that say something of a later entry: PAX, PAX for all, GNU long name, GNU long link. */
const KINDS = 'xgLK'

/** An extended header whose body is being collected. */
export interface OpenExtension {
  readonly flag: string
  readonly body: Buffer
  filled: number
}

/** Extended headers that stand before the next entry. */
export class Extensions {
  readonly #limits: CompleteTarLimits
  #bytes = 0
  /** PAX records. */
  pax: ReadPaxRecords | undefined
  /** Body of a GNU long name. */
  longName: Buffer | undefined
  /** Body of a GNU long link name. */
  longLink: Buffer | undefined

  constructor(limits: CompleteTarLimits) {
    this.#limits = limits
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.pax !== undefined || this.longName !== undefined || this.longLink !== undefined
  }

  /** Forgets them: they are about one entry only. */
  clear(): void {
    this.#bytes = 0
    this.pax = undefined
    this.longName = undefined
    this.longLink = undefined
  }

  /** The header of one more, or `undefined` if the block is the header of an entry. */
  open(flag: string, size: number, at: number): OpenExtension | undefined {
    if (!KINDS.includes(flag)) return undefined
    // SAFETY: the claimed size is refused before anything of it is kept.
    const most = this.#limits.maxHeaderBytes
    const limit = flag === 'L' || flag === 'K' ? Math.min(most, this.#limits.maxPathBytes + BLOCK) : most
    if (size > limit) throw new LimitError('bytes of an extended tar header', { limit, actual: size })
    const bytes = this.#bytes + size
    if (flag !== 'g' && bytes > most)
      throw new LimitError('bytes of extended tar headers', { limit: most, actual: bytes })
    const taken = { x: this.pax, L: this.longName, K: this.longLink }[flag]
    if (taken) throw invalid('two extended headers of one kind for one entry', at)
    // A PAX header without records says nothing, which is what other readers make of it; an empty name cannot be one.
    if (size === 0 && (flag === 'L' || flag === 'K')) throw invalid('empty extended header', at)
    return { flag, body: Buffer.allocUnsafe(size), filled: 0 }
  }

  /** Takes one whose body is complete. */
  close({ flag, body }: OpenExtension, at: number): void {
    // What a global header says of all entries, other readers apply or ignore; here nothing in it has an effect.
    if (flag === 'g') return void parsePax(body, at)
    this.#bytes += body.byteLength
    if (flag === 'x') this.pax = parsePax(body, at)
    if (flag === 'L') this.longName = body
    if (flag === 'K') this.longLink = body
  }
}
