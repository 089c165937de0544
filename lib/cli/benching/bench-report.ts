import type { Machine } from './describe-machine.ts'

/** Samples of one measurement. */
export interface Spread {
  readonly median: number
  /** Median absolute deviation, which single outliers do not move. */
  readonly mad: number
  /** Every sample, in the order of the rounds. */
  readonly samples: readonly number[]
}

/** One way to do the work of a case; without `seconds` it was skipped. */
export interface BenchRow {
  readonly label: string
  readonly seconds?: Spread
  /** Bytes that remain: a compressed layer, or what must be kept of images with an index. */
  readonly keptBytes?: number
  /** Reason why it was not measured. */
  readonly skipped?: string
}

/** Several ways to do the same work, measured in alternation. */
export interface BenchCase {
  readonly part: 'hash' | 'layer' | 'dedup'
  readonly name: string
  /** Bytes that each run works on. */
  readonly bytes: number
  readonly rows: readonly BenchRow[]
}

/** Something that the user gave to measure on. */
export interface BenchedInput {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'image'
}

/** Result of `bench`; plain data. */
export interface BenchReport {
  /** Version of this shape. */
  readonly version: 1
  readonly machine: Machine
  /** Number of samples of each row; one more run before them is not counted. */
  readonly rounds: number
  readonly inputs: readonly BenchedInput[]
  readonly cases: readonly BenchCase[]
}
