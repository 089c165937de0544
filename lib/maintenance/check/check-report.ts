import type { Digest } from '../../digest/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { CheckFault } from '../../store/index.ts'

/**
 * Class of a problem:
 *
 * - `missing`: a named blob that does not exist.
 * - `short`: a named blob with fewer bytes than its descriptor states.
 * - `corrupt`: a named blob with other bytes.
 * - `orphan`: a blob that nothing refers to.
 * - `stray`: an entry among the blobs that no store puts there.
 */
export type ProblemClass = 'missing' | 'short' | 'corrupt' | 'orphan' | 'stray'

/** One problem in a store. */
export interface StoreProblem {
  /** Class of the problem. */
  readonly class: ProblemClass
  /** Digest of the blob; absent if the entry is not a blob. */
  readonly digest?: Digest
  /** Actual or expected path, relative to the store. */
  readonly path: string
  /** Description of the expected content. */
  readonly expected: string
  /** Description of the content found. */
  readonly actual: string
  /** Path of references to the blob, `tag app:1 → manifest → layer`; or why it is listed. */
  readonly reason: string
  /** Descriptor that refers to the blob, so that it can be fetched again; absent if nothing refers to it. */
  readonly descriptor?: Descriptor
  /** Path of the damaged blob in quarantine, if it was moved. */
  readonly quarantinedTo?: string
}

/** Result of a check. Plain JSON: it can be printed, stored, and passed to a later repair. */
export interface CheckReport {
  /** Discriminant. */
  readonly kind: 'check'
  /** Version of the format. */
  readonly version: 1
  /** Whether every named blob exists and is intact: no blob missing, short or corrupt, and no fault. */
  readonly sound: boolean
  /** Number of names followed. */
  readonly names: number
  /** Number of blobs read and compared with their digests, including those of a resumed check. */
  readonly blobs: number
  /** Total size of these blobs in bytes. */
  readonly bytes: number
  /** Number of problems of each class. */
  readonly counts: Readonly<Record<ProblemClass, number>>
  /** Every missing, short or corrupt blob, and the first thousand problems of each other class. */
  readonly problems: readonly StoreProblem[]
  /** Parts of the store that could not be read or are invalid. */
  readonly faults: readonly CheckFault[]
  /** Whether this check resumed an aborted one. */
  readonly resumed: boolean
}

/** Maximum listed per class: there may be as many orphans and strays as files. */
const LISTED = 1000

/** Collects the problems that a check finds. */
export class Findings {
  readonly faults: CheckFault[] = []
  readonly #problems: StoreProblem[] = []
  readonly #counts: Record<ProblemClass, number> = { missing: 0, short: 0, corrupt: 0, orphan: 0, stray: 0 }

  add(problem: StoreProblem): void {
    const count = ++this.#counts[problem.class]
    const bounded = problem.class === 'orphan' || problem.class === 'stray'
    if (!bounded || count <= LISTED) this.#problems.push(problem)
  }

  report(rest: Pick<CheckReport, 'names' | 'blobs' | 'bytes' | 'resumed'>): CheckReport {
    const { missing, short, corrupt } = this.#counts
    return {
      kind: 'check',
      version: 1,
      sound: missing + short + corrupt === 0 && this.faults.length === 0,
      ...rest,
      counts: { ...this.#counts },
      problems: this.#problems,
      faults: this.faults,
    }
  }
}
