import type { AbortOptions } from '../../internal/abort.ts'
import type { OnProgress } from './progress.ts'

/** How to run any plan. */
export interface RunOptions extends AbortOptions {
  /** Blobs moved at once. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /** Ranges of a big blob fetched at once from a registry, for lines that slow single connections down. @defaultValue `1` */
  readonly parallel?: number | undefined
  /** Bytes of memory that all blobs on their way may hold together. @defaultValue 64 MiB */
  readonly bufferBytes?: number | undefined
  /**
   * What to do if something that the plan says no longer holds: what is needed now, and say so in the result; or nothing,
   * and throw `ERR_PLAN_OUTDATED`. Looks at everything again, as a stored plan always does. @defaultValue `'adapt'`
   */
  readonly ifChanged?: 'adapt' | 'fail' | undefined
  /** Receives news. */
  readonly onProgress?: OnProgress | undefined
}
