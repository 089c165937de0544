import type { Digest } from '../digest/index.ts'
import type { Descriptor } from '../oci/index.ts'

/**
 * Need of one blob: nothing (`present`), or the way to move it. `resume` continues at {@link PlanStep.offset}. `await`
 * waits for another transfer that is moving the blob. `copy` streams a layer that the store lacks from the registry
 * that holds it to the target. `make` writes a document that no registry has, see {@link PlanStep.content}. `skip`
 * marks layers that registries do not hold.
 */
export type Need = 'present' | 'fetch' | 'resume' | 'await' | 'upload' | 'mount' | 'copy' | 'make' | 'skip'

/** Role of a blob in its image. */
export type StepKind = 'config' | 'layer' | 'manifest' | 'index' | 'blob'

/** One blob of a plan, its need and the reason. */
export interface PlanStep {
  /** Role of the blob. */
  readonly kind: StepKind
  /** Media type, digest and size. */
  readonly descriptor: Descriptor
  /** Need of the blob. */
  readonly need: Need
  /** Reason of the need, as readable text. */
  readonly reason: string
  /**
   * For a `mount`: the repository of the same registry. For a `copy`: registry and repository that hold the layer. For
   * a `fetch`: the mirror or registry that is asked first.
   */
  readonly from?: string
  /** For a `resume`: number of bytes that are already there. */
  readonly offset?: number
  /** A stored blob that is known to hold the same layer in another compression. */
  readonly sameDiffIdAs?: Digest
  /** Text of a document made for this plan: an index of the chosen platforms. */
  readonly content?: string
  /** `false` for manifests that refer to the image, and for their blobs: they are not below the root. */
  readonly belowRoot?: false
  /** Tags that a manifest gets beside the image, such as `sha256-<hex>.sig`. */
  readonly tags?: readonly string[]
}

/** Members of every kind of plan. A plan is plain JSON: it can be printed, stored, tested, and run later. */
export interface PlanOfSteps {
  /** Version of the format. */
  readonly version: 1
  /** The manifest or index that the name will refer to. */
  readonly root: Descriptor
  /** The root and every blob below it, each once, children before their parents. */
  readonly steps: readonly PlanStep[]
  /** Total size of all blobs in bytes. */
  readonly bytesTotal: number
  /** Bytes that the target already has, including those of unfinished transfers. */
  readonly bytesPresent: number
  /** Bytes that another transfer is moving now. */
  readonly bytesInFlight: number
  /** Platforms of the index that the plan includes; empty if the image is not in an index. */
  readonly platforms: readonly string[]
  /** Platforms of the index that the plan leaves out. */
  readonly platformsLeftOut: readonly string[]
  /** The index that the root was chosen from or made of, if the plan does not include all of it. */
  readonly index?: Digest
}

/** Members of plans between a registry and a store. */
export interface TransferPlan extends PlanOfSteps {
  /** Reference in the registry, as `registry/repository[:tag][@digest]`. */
  readonly reference: string
  /** Name in the store. */
  readonly name: string
}

/** Plan of a pull. */
export interface PullPlan extends TransferPlan {
  /** Discriminant. */
  readonly kind: 'pull'
  /** Bytes to fetch. */
  readonly bytesToFetch: number
}

/** Plan of a push. */
export interface PushPlan extends TransferPlan {
  /** Discriminant. */
  readonly kind: 'push'
  /** Further tags, besides the tag of the reference. */
  readonly tags: readonly string[]
  /** Bytes to upload, if every mount succeeds. Bytes of a `copy` are among them. */
  readonly bytesToUpload: number
}

/** Plan of a copy. */
export interface CopyPlan extends PlanOfSteps {
  /** Discriminant. */
  readonly kind: 'copy'
  /** Label of the source: `docker://…`, `store:…`. */
  readonly from: string
  /** Label of the target. */
  readonly to: string
  /** Further tags, besides the tag of the target. */
  readonly tags: readonly string[]
  /** Bytes to move through this process, if every mount succeeds. */
  readonly bytesToMove: number
  /** Manifests that the plan includes because they refer to a manifest of the image, by `subject` or by a tag. */
  readonly referrers: readonly Digest[]
}

/** A plan of any kind. */
export type AnyPlan = PullPlan | PushPlan | CopyPlan

/** Sum of the blob sizes of the steps with one of the given needs. */
export function bytesOf(steps: readonly PlanStep[], ...needs: readonly Need[]): number {
  return steps.reduce((sum, step) => (needs.includes(step.need) ? sum + step.descriptor.size : sum), 0)
}

const MOVED: ReadonlySet<Need> = new Set(['fetch', 'upload', 'copy', 'resume'])

/** Number of bytes that this process has to move for a step. */
export function bytesToMove({ need, descriptor, offset = 0 }: PlanStep): number {
  return MOVED.has(need) ? descriptor.size - offset : 0
}

/** True for a manifest or index; these move after everything that they name. */
export function isDocument({ kind }: Pick<PlanStep, 'kind'>): boolean {
  return kind === 'manifest' || kind === 'index'
}
