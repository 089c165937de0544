import { FormatError } from '../../errors/index.ts'
import { compareArchiveOrder } from './archive-order.ts'

/** Runs of ascending paths that are followed; the paths of further ones are put into a set. */
const MOST_RUNS = 4

/** Ascending paths that followed each other, and the place where the current run is compared with them. */
interface Run {
  readonly paths: string[]
  at: number
}

/**
 * Finds a path that was seen before.
 *
 * PERF: the entries of a layer come in a few ascending runs (directories, files, links), so a path is compared with the
 * end of its run and with one path of each earlier run. A set of tens of thousands of paths takes four times as long,
 * and three times the memory.
 */
export class UniquePaths {
  readonly #runs: Run[] = []
  #last: string | undefined
  #seen: Set<string> | undefined

  /** Adds a path; returns false if it was added before. No path can be added after that. */
  add(path: string): boolean {
    if (this.#seen) return this.#seen.size < this.#seen.add(path).size
    const order = this.#last === undefined ? -1 : compareArchiveOrder(this.#last, path)
    if (order === 0) return false
    if (order > 0 || this.#last === undefined) {
      if (this.#runs.length === MOST_RUNS) return this.#addToSet(path)
      for (const run of this.#runs) run.at = 0
      this.#runs.push({ paths: [], at: 0 })
    }
    const current = this.#runs.length - 1
    for (let i = 0; i < current; i++) if (hasPath(this.#runs[i]!, path)) return false
    this.#runs[current]!.paths.push(path)
    this.#last = path
    return true
  }

  #addToSet(path: string): boolean {
    this.#seen = new Set(this.#runs.flatMap(({ paths }) => paths))
    this.#runs.length = 0
    return this.add(path)
  }
}

/**
 * Adds a path of a layer.
 *
 * SPEC: a layer must not contain duplicate paths (layer.md#representing-changes).
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if it was added before.
 */
export function assertNew(paths: UniquePaths, path: string): void {
  if (paths.add(path)) return
  throw new FormatError('ERR_INVALID_ARGUMENT', `path ${JSON.stringify(path)} stands twice in one layer`)
}

/** Looks for a path in a run. The paths that are asked for ascend too, so the place only moves forward. */
function hasPath(run: Run, path: string): boolean {
  const { paths } = run
  let order = -1
  while (run.at < paths.length) {
    order = compareArchiveOrder(paths[run.at]!, path)
    if (order >= 0) break
    run.at++
  }
  return order === 0
}
