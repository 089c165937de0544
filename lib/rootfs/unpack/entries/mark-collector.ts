import { parseWhiteout, type Whiteout } from '../../../layer/index.ts'
import { type TarLimits, TarScanner } from '../../../tar/index.ts'

/** The whiteouts of a layer, and the paths that affect how they are resolved. */
export interface LayerMarks {
  /** Opaque whiteouts first, then whiteouts of one name, each in the order of the archive. */
  readonly marks: readonly Exclude<Whiteout, { kind: 'ignored' }>[]
  /** Paths that the layer hides or makes directories: links of lower layers there are not followed. */
  readonly own: ReadonlySet<string>
  /** Number of entries of the layer, marks included. */
  readonly entries: number
}

/** Collects the whiteouts of an archive that comes in pieces. Memory grows with the directories in it. */
export class MarkCollector {
  readonly #scanner: TarScanner
  readonly #layer: string
  readonly #opaque: LayerMarks['marks'][number][] = []
  readonly #hiding: LayerMarks['marks'][number][] = []
  readonly #own = new Set<string>()
  #entries = 0

  constructor(layer: string, limits?: TarLimits) {
    this.#layer = layer
    this.#scanner = new TarScanner(limits)
  }

  /** Takes the next piece. It may be reused after that. */
  take(piece: Uint8Array): void {
    this.#scanner.push(piece)
    for (let found = this.#scanner.next(); found; found = this.#scanner.next()) {
      this.#scanner.skip()
      if (found instanceof Uint8Array) continue
      this.#entries++
      const mark = parseWhiteout(found.path, this.#layer)
      if (!mark && found.type === 'directory') this.#own.add(found.path)
      if (mark?.kind === 'opaque') this.#opaque.push(mark)
      if (mark?.kind !== 'hide') continue
      this.#hiding.push(mark)
      this.#own.add(mark.directory === '.' ? mark.name : `${mark.directory}/${mark.name}`)
    }
  }

  /** To be called at the end of the archive. */
  end(): LayerMarks {
    this.#scanner.end()
    return { marks: [...this.#opaque, ...this.#hiding], own: this.#own, entries: this.#entries }
  }
}
