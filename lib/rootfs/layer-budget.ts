import { LimitError } from '../errors/index.ts'

/** What links may cost in one layer whatever it holds, and more for each of its entries. */
const LINKS_FREE = 1_000_000
const LINKS_FOR_EACH_ENTRY = 256
/** What a link costs beside the components of its target: on disk, reading it is worth as much as many of them. */
const LINK = 16

/** Directories that no entry is for, likewise. */
const DIRECTORIES_FREE = 1024
const DIRECTORIES_FOR_EACH_ENTRY = 16
/** What is told of too many of them. */
export const IMPLICIT_DIRECTORIES = 'directories of a layer that no entry is for'

/**
 * Bounds what the entries of one layer cost beside what they are.
 *
 * SAFETY: one path may lead through 255 links (images need more than the 40 of Linux), and each entry of 512 bytes may
 * do so again: 2 ms of processor time each when unpacked. A path of 4,096 bytes may make a thousand directories, 0.1 ms
 * each. Ordinary entries lead through one link or two and make one directory or two, a tenth of what they bring.
 */
export class LayerBudget {
  #links = LINKS_FREE
  #entries = 0
  #directories = 0

  /** Adds what so many entries bring. */
  addEntries(count: number): void {
    this.#entries += count
    this.#links += count * LINKS_FOR_EACH_ENTRY
  }

  /** Spends what following a link costs; tells whether there was enough. */
  mayFollow(target: string): boolean {
    this.#links -= LINK
    for (let at = target.indexOf('/'); at >= 0; at = target.indexOf('/', at + 1)) this.#links--
    return this.#links >= 0
  }

  /**
   * Counts a directory that no entry is for.
   *
   * @throws {@link LimitError}
   */
  makeDirectory(): void {
    const limit = DIRECTORIES_FREE + this.#entries * DIRECTORIES_FOR_EACH_ENTRY
    if (++this.#directories > limit) throw new LimitError(IMPLICIT_DIRECTORIES, { limit, actual: this.#directories })
  }
}
