import { LimitError } from '../errors/index.ts'

/** Cost that links may have in any layer, plus that per entry. */
const LINKS_FREE = 1_000_000
const LINKS_FOR_EACH_ENTRY = 256
/** Cost of a link besides the components of its target: on disk, reading a link costs as much as many components. */
const LINK = 16

/** Directories without an entry that any layer may create, plus those per entry. */
const DIRECTORIES_FREE = 1024
const DIRECTORIES_FOR_EACH_ENTRY = 16
/** Name of the limit in errors. */
export const IMPLICIT_DIRECTORIES = 'directories of a layer without an entry'

/**
 * Bounds the cost of a layer's links and of directories without an entry.
 *
 * SAFETY: one path may lead through 255 links (images need more than the 40 of Linux), and each entry of 512 bytes may
 * do so again: 2 ms of processor time each when unpacked. A path of 4,096 bytes may create a thousand directories, 0.1
 * ms each. Without a budget, a small layer could take hours. Ordinary entries use a tenth of it: they lead through one
 * or two links and create one or two directories.
 */
export class LayerBudget {
  #links = LINKS_FREE
  #entries = 0
  #directories = 0

  /** Adds the budget of further entries. */
  addEntries(count: number): void {
    this.#entries += count
    this.#links += count * LINKS_FOR_EACH_ENTRY
  }

  /** Spends the cost of following a link; returns false if the budget is exceeded. */
  mayFollow(target: string): boolean {
    this.#links -= LINK
    for (let at = target.indexOf('/'); at >= 0; at = target.indexOf('/', at + 1)) this.#links--
    return this.#links >= 0
  }

  /**
   * Counts a directory without an entry.
   *
   * @throws {@link LimitError}
   */
  makeDirectory(): void {
    const limit = DIRECTORIES_FREE + this.#entries * DIRECTORIES_FOR_EACH_ENTRY
    if (++this.#directories > limit) throw new LimitError(IMPLICIT_DIRECTORIES, { limit, actual: this.#directories })
  }
}
