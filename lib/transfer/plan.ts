import type { Digest } from '../digest/index.ts'
import type { Descriptor } from '../spec/index.ts'

/** What has to happen to one blob: nothing, or one of the ways to move it. */
export type Need = 'present' | 'fetch' | 'upload' | 'mount' | 'skip'

/** What a blob is to its image. */
export type StepKind = 'config' | 'layer' | 'manifest' | 'index' | 'blob'

/** One blob of a plan, and why it needs what it needs. */
export interface PlanStep {
  /** What the blob is. */
  readonly kind: StepKind
  /** Media type, digest and size. */
  readonly descriptor: Descriptor
  /** What has to happen. */
  readonly need: Need
  /** Why, for people. */
  readonly reason: string
  /** Repository of the same registry that a `mount` takes the blob from. */
  readonly from?: string
  /** A blob in the store that holds the same layer in another compression, as far as is known. */
  readonly sameDiffIdAs?: Digest
}

/** What both kinds of plan say. Plain JSON: it can be printed, stored, tested, and run later. */
export interface TransferPlan {
  /** Version of this format. */
  readonly version: 1
  /** The registry's side, as `registry/repository[:tag][@digest]`. */
  readonly reference: string
  /** The name on the store's side. */
  readonly name: string
  /** The manifest or index that gets the name. */
  readonly root: Descriptor
  /** Every blob below the root, each once, children before their parents. */
  readonly steps: readonly PlanStep[]
  /** Bytes of all blobs. */
  readonly bytesTotal: number
  /** Bytes that are where they should be already. */
  readonly bytesPresent: number
}

/** What a pull would do. */
export interface PullPlan extends TransferPlan {
  /** Which way the bytes go. */
  readonly kind: 'pull'
  /** Bytes to be fetched. */
  readonly bytesToFetch: number
  /** Platforms of the index that are taken; empty if the reference is not an index. */
  readonly platforms: readonly string[]
  /** Platforms of the index that are left out. */
  readonly platformsLeftOut: readonly string[]
  /** The index that the root was chosen from, if the name goes to one platform of it. */
  readonly index?: Digest
}

/** What a push would do. */
export interface PushPlan extends TransferPlan {
  /** Which way the bytes go. */
  readonly kind: 'push'
  /** Bytes to be uploaded, if every mount succeeds. */
  readonly bytesToUpload: number
}

/** Sums over the steps of a plan. */
export function bytesOf(steps: readonly PlanStep[], ...needs: readonly Need[]): number {
  return steps.reduce((sum, step) => (needs.includes(step.need) ? sum + step.descriptor.size : sum), 0)
}
