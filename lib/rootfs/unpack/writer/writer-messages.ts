import type { TarHeader } from '../../../tar/index.ts'
import type { WriterOptions } from '../entries/writer-options.ts'
import type { SkippedDetail, UnpackCounts } from '../unpack-report.ts'

/** One entry, or a piece of the file that is open. */
export interface WriterStep {
  /** Set where an entry begins. */
  readonly header?: TarHeader
  /** Content: a part of the batch's bytes. */
  readonly offset: number
  readonly length: number
  /** Whether the entry ends here. */
  readonly last: boolean
}

/** What a writer is asked to do; the steps of a batch are packed. Each request gets one answer, in order; after a failure only `discard` is done. */
export type WriterRequest =
  | { readonly act: 'open'; readonly directory: string; readonly options: WriterOptions }
  | { readonly act: 'layer'; readonly name: string }
  | { readonly act: 'batch'; readonly steps: string; readonly bytes: SharedArrayBuffer }
  | { readonly act: 'finish' }
  | { readonly act: 'discard' }

/** An error on its way between threads, which keep neither classes nor codes. */
export interface WriterFault {
  readonly name: string
  readonly code: string | undefined
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly cause: WriterFault | undefined
}

/** What came of a request. */
export interface WriterAnswer {
  readonly fault?: WriterFault
  /** Counts so far. */
  readonly counts?: UnpackCounts
  /** What was skipped since the last answer. */
  readonly skipped?: readonly SkippedDetail[]
  /** What a discard could not remove, or an overwriting unpack has written. */
  readonly left?: readonly string[]
}
