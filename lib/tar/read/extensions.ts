import { LimitError } from '../../errors/index.ts'
import type { CompleteTarLimits } from '../tar-limits.ts'
import { BLOCK, invalid } from './header-block.ts'
import { parsePax, type ReadPaxRecords } from './parse-pax.ts'

/** Type flags of extended headers: PAX, global PAX, GNU long name, GNU long link. */
const KINDS = 'xgLK'

/** An extended header whose body is incomplete. */
export interface OpenExtension {
  readonly flag: string
  readonly body: Buffer
  filled: number
}

/** Extended headers of the next entry. */
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

  /** True if the next entry has extended headers. */
  get any(): boolean {
    return this.pax !== undefined || this.longName !== undefined || this.longLink !== undefined
  }

  /** Removes all extended headers: they apply to one entry only. */
  clear(): void {
    this.#bytes = 0
    this.pax = undefined
    this.longName = undefined
    this.longLink = undefined
  }

  /** Starts an extended header; `undefined` if the block is the header of an entry. */
  open(flag: string, size: number, at: number): OpenExtension | undefined {
    if (!KINDS.includes(flag)) return undefined
    // SAFETY: an archive may declare an extended header of any size. It is refused before any byte of it is kept, so
    // that it cannot exhaust memory.
    const most = this.#limits.maxHeaderBytes
    const limit = flag === 'L' || flag === 'K' ? Math.min(most, this.#limits.maxPathBytes + BLOCK) : most
    if (size > limit) throw new LimitError('bytes of an extended tar header', { limit, actual: size })
    const bytes = this.#bytes + size
    if (flag !== 'g' && bytes > most)
      throw new LimitError('bytes of extended tar headers', { limit: most, actual: bytes })
    const taken = { x: this.pax, L: this.longName, K: this.longLink }[flag]
    if (taken) throw invalid('two extended headers of one kind for one entry', at)
    // A PAX header without records is allowed, as in other readers; an empty GNU name is invalid.
    if (size === 0 && (flag === 'L' || flag === 'K')) throw invalid('empty extended header', at)
    return { flag, body: Buffer.allocUnsafe(size), filled: 0 }
  }

  /** Stores an extended header whose body is complete. */
  close({ flag, body }: OpenExtension, at: number): void {
    // Some readers apply global PAX records and others ignore them. This reader checks their form and ignores them.
    if (flag === 'g') return void parsePax(body, at)
    this.#bytes += body.byteLength
    if (flag === 'x') this.pax = parsePax(body, at)
    if (flag === 'L') this.longName = body
    if (flag === 'K') this.longLink = body
  }
}
