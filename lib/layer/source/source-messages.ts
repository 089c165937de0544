import type { ScanOptions, ScanState } from './directory-scan.ts'
import type { SourceFault } from './source-fault.ts'

/** What a thread that scans starts from. */
export interface ScanStart {
  readonly options: ScanOptions
  readonly xattrs: boolean
  readonly state: ScanState
}

/** What a scan has given: entries, with the content of files in one buffer. */
export interface SourceBatch {
  /**
   * The steps as JSON. PERF: as objects, which `postMessage` clones one by one, they cost both threads more.
   */
  readonly steps: string
  readonly bytes: ArrayBuffer | undefined
  readonly done: boolean
  /** Why it ended early; what came before is sound. */
  readonly fault?: SourceFault | undefined
}
