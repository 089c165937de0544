import type { AbortOptions } from '../../internal/abort.ts'
import type { ImageToVerify } from './image-to-verify.ts'
import type { OnProgress } from './progress.ts'

/** Options for running any plan. */
export interface RunOptions extends AbortOptions {
  /** Number of blobs moved in parallel. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /**
   * Number of ranges of one big blob fetched in parallel from a registry, for networks that limit the speed of a single
   * connection. @defaultValue `1`
   */
  readonly parallel?: number | undefined
  /** Memory limit in bytes for the buffers of all blobs that are moving. @defaultValue 64 MiB */
  readonly bufferBytes?: number | undefined
  /**
   * Reaction if a statement of the plan no longer holds. `'adapt'` does what is needed now and lists the changes in the
   * result; `'fail'` changes nothing and throws `ERR_PLAN_OUTDATED`. With `'fail'` a fresh plan is compared with the
   * current state too, as a stored plan always is. @defaultValue `'adapt'`
   */
  readonly ifChanged?: 'adapt' | 'fail' | undefined
  /**
   * Verifies the image before anything moves or gets a name; the run ends with its error. `loadPolicy` of
   * `layerstore/trust` makes one. Without it nothing is verified.
   */
  readonly verify?: ((image: ImageToVerify) => Promise<void>) | undefined
  /** Receives progress events. */
  readonly onProgress?: OnProgress | undefined
}
