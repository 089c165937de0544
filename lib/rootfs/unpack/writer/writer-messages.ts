import type { WriterOptions } from '../entries/writer-options.ts'
import type { SkippedDetail, UnpackCounts } from '../unpack-report.ts'

/** Requests to a writer. Each gets one answer, in order; after a failure only `discard` is executed. */
export type WriterRequest =
  | { readonly act: 'open'; readonly directory: string; readonly options: WriterOptions }
  | { readonly act: 'layer'; readonly name: string }
  /** The archive of the next layer, to be looked through for its whiteouts; it comes again as a `layer` then. */
  | { readonly act: 'scan'; readonly name: string }
  /** The next bytes of the layer's archive: so many of the buffer, which belongs to the writer until it answers. */
  | { readonly act: 'bytes'; readonly bytes: SharedArrayBuffer; readonly length: number }
  | { readonly act: 'layer-end' }
  | { readonly act: 'finish' }
  | { readonly act: 'discard' }

/** An error as it is sent between threads; structured cloning keeps neither classes nor codes. */
export interface WriterFault {
  readonly name: string
  readonly code: string | undefined
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly cause: WriterFault | undefined
}

/** Answer to a request. */
export interface WriterAnswer {
  readonly fault?: WriterFault
  /** Counts so far. */
  readonly counts: UnpackCounts
  /** Metadata and entries skipped since the last answer. */
  readonly skipped: readonly SkippedDetail[]
  /** Paths that a discard could not remove, or that an unpack with `overwrite` has written. */
  readonly left: readonly string[]
}
