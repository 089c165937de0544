import type { Digest } from '../digest/index.ts'
import type { Descriptor } from '../oci/index.ts'

/**
 * What has to happen to one blob: nothing (`present`), or one of the ways to move it. `resume` goes on at
 * {@link PlanStep.offset}; `await` means that somebody else is moving it at this moment, and is waited for; `make` is a
 * document that no registry has, see {@link PlanStep.content}; `skip` are layers that registries do not hold.
 */
export type Need = 'present' | 'fetch' | 'resume' | 'await' | 'upload' | 'mount' | 'make' | 'skip'

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
  /** Where from: the repository of the same registry for a `mount`; the mirror or registry asked first for a `fetch`. */
  readonly from?: string
  /** Bytes that are there already, of a blob that is to be resumed. */
  readonly offset?: number
  /** A blob in the store that holds the same layer in another compression, as far as is known. */
  readonly sameDiffIdAs?: Digest
  /** The text of a document that was made for this plan: an index of the platforms that are taken. */
  readonly content?: string
  /** `false` for what is not below the root: manifests that refer to the image, and what these name. */
  readonly belowRoot?: false
}

/** What all kinds of plan say. Plain JSON: it can be printed, stored, tested, and run later. */
export interface PlanOfSteps {
  /** Version of this format. */
  readonly version: 1
  /** The manifest or index that gets the name. */
  readonly root: Descriptor
  /** Every blob below the root and itself, each once, children before their parents. */
  readonly steps: readonly PlanStep[]
  /** Bytes of all blobs. */
  readonly bytesTotal: number
  /** Bytes that are where they should be already, those of unfinished transfers included. */
  readonly bytesPresent: number
  /** Bytes that somebody else is moving at this moment. */
  readonly bytesInFlight: number
  /** Platforms of the index that are taken; empty if it is not an index. */
  readonly platforms: readonly string[]
  /** Platforms of the index that are left out. */
  readonly platformsLeftOut: readonly string[]
  /** The index that the root was chosen from or made of, if the whole of it is not taken. */
  readonly index?: Digest
}

/** What plans between a registry and a store say. */
export interface TransferPlan extends PlanOfSteps {
  /** The registry's side, as `registry/repository[:tag][@digest]`. */
  readonly reference: string
  /** The name on the store's side. */
  readonly name: string
}

/** What a pull would do. */
export interface PullPlan extends TransferPlan {
  /** Which way the bytes go. */
  readonly kind: 'pull'
  /** Bytes to be fetched. */
  readonly bytesToFetch: number
}

/** What a push would do. */
export interface PushPlan extends TransferPlan {
  /** Which way the bytes go. */
  readonly kind: 'push'
  /** Tags that are set besides that of the reference. */
  readonly tags: readonly string[]
  /** Bytes to be uploaded, if every mount succeeds. */
  readonly bytesToUpload: number
}

/** What a copy would do. */
export interface CopyPlan extends PlanOfSteps {
  /** Which way the bytes go. */
  readonly kind: 'copy'
  /** Where from, for people: `docker://…`, `store:…`. */
  readonly from: string
  /** Where to, for people. */
  readonly to: string
  /** Tags that are set besides that of the target. */
  readonly tags: readonly string[]
  /** Bytes to be moved through this process, if every mount succeeds. */
  readonly bytesToMove: number
  /** Manifests that are copied because they refer to one of the image's. */
  readonly referrers: readonly Digest[]
}

/** Any plan. */
export type AnyPlan = PullPlan | PushPlan | CopyPlan

/** Sums over the steps of a plan. */
export function bytesOf(steps: readonly PlanStep[], ...needs: readonly Need[]): number {
  return steps.reduce((sum, step) => (needs.includes(step.need) ? sum + step.descriptor.size : sum), 0)
}

/** Bytes that this process has to move for a step. */
export function bytesToMove({ need, descriptor, offset = 0 }: PlanStep): number {
  return need === 'fetch' || need === 'upload' || need === 'resume' ? descriptor.size - offset : 0
}

/** Whether a step is about a manifest or index, which go after everything that they name. */
export function isDocument({ kind }: Pick<PlanStep, 'kind'>): boolean {
  return kind === 'manifest' || kind === 'index'
}
