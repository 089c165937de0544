import type { Digest } from '../../digest/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { CheckFault } from '../../store/index.ts'

/**
 * What can be wrong with what a store holds: a blob that is named and not there (`missing`), has fewer bytes than it is
 * named with (`short`), or has other bytes (`corrupt`); a blob that nothing leads to (`orphan`); something among the blobs
 * that no store put there (`stray`).
 */
export type ProblemClass = 'missing' | 'short' | 'corrupt' | 'orphan' | 'stray'

/** One thing that is not as it should be. */
export interface StoreProblem {
  /** Which kind of problem. */
  readonly class: ProblemClass
  /** The blob, unless it is none. */
  readonly digest?: Digest
  /** Where it is or should be, relative to the store. */
  readonly path: string
  /** What should be there. */
  readonly expected: string
  /** What is. */
  readonly actual: string
  /** The way that leads to it: `tag app:1 → manifest → layer`; or why it is listed. */
  readonly reason: string
  /** What names the blob, so that it can be fetched again; absent if nothing does. */
  readonly descriptor?: Descriptor
  /** Where the damaged blob is kept now, if it was moved. */
  readonly quarantinedTo?: string
}

/** What a check found. Plain JSON: it can be printed, stored, and repaired by later. */
export interface CheckReport {
  /** Which of these it is. */
  readonly kind: 'check'
  /** Version of this format. */
  readonly version: 1
  /** Whether everything that is named is there and right: no blob missing, short or corrupt, and no fault. */
  readonly sound: boolean
  /** Names that were followed. */
  readonly names: number
  /** Blobs that were read and compared with their digests; those of the check that was resumed included. */
  readonly blobs: number
  /** Their bytes. */
  readonly bytes: number
  /** How many problems of each class there are. */
  readonly counts: Readonly<Record<ProblemClass, number>>
  /** All that is missing, short or corrupt, and of the others the first thousand of each class. */
  readonly problems: readonly StoreProblem[]
  /** What could not be looked at or understood. */
  readonly faults: readonly CheckFault[]
  /** Whether an earlier check, broken off, was gone on with. */
  readonly resumed: boolean
}

/** Orphans and strays may be as many as there are files. */
const LISTED = 1000

/** Gathers what a check finds. */
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
