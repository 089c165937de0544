import type { DirectoryScan, ScanOptions, ScanState } from './directory-scan.ts'
import type { SourceStep } from './source-entry.ts'
import { type SourceFault, SourceReadFailure } from './source-fault.ts'
import type { StepColumns } from './step-columns.ts'

/**
 * Bytes and entries of one batch. PERF: what is under way survives a collection of garbage, and a heap in which much
 * survives grows: 512 entries of a tree of small files took 40 MB more than 64, for the same processor time.
 */
const BATCH_BYTES = 512 * 1024
const BATCH_ENTRIES = 64

/** What a scan gives at once. */
export interface ScannedBatch {
  readonly steps: readonly SourceStep[]
  /** Where the content is. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly filled: number
  readonly done: boolean
  readonly fault?: SourceFault | undefined
}

/** What a thread that scans starts from. */
export interface ScanStart {
  readonly options: ScanOptions
  readonly xattrs: boolean
  readonly state: ScanState
}

/** A batch on its way to another thread. */
export interface SourceBatch {
  readonly steps: StepColumns
  readonly bytes: ArrayBuffer | undefined
  readonly done: boolean
  /** Why it ended early; what came before is sound. */
  readonly fault?: SourceFault | undefined
}

/** Lets a scan fill one batch. What it gave before it failed is kept: the failure is told when its turn has come. */
export function scanBatch(scan: DirectoryScan, bytes: Uint8Array<ArrayBuffer>, entries = BATCH_ENTRIES): ScannedBatch {
  const { steps, filled, failure } = scan.fill(bytes, entries)
  return { steps, bytes, filled, done: failure !== undefined || scan.done, fault: faultOf(failure) }
}

/** Memory for a batch. */
export function emptyBatch(size = BATCH_BYTES): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
}

function faultOf(failure: unknown): SourceFault | undefined {
  if (failure === undefined) return undefined
  if (failure instanceof SourceReadFailure) return failure.fault
  throw failure
}
