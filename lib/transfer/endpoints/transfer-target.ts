import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor, Repository } from '../../oci/index.ts'
import type { PlanStep } from '../plan.ts'
import type { TransferNode } from './transfer-graph.ts'
import type { TransferSource } from './transfer-source.ts'

/** What a target says of one blob. */
export type StepNeed = Pick<PlanStep, 'need' | 'reason' | 'from' | 'offset' | 'sameDiffIdAs'>

/** What a target is told when it is asked what it needs. */
export interface NeedsContext extends AbortOptions {
  /** The manifest or index on top. */
  readonly root: Descriptor
  /** Where the blobs would come from. */
  readonly source: TransferSource
  /** Documents that are known already, by digest. */
  readonly documents: ReadonlyMap<string, Uint8Array>
}

/** The bytes of one blob on their way to a target. All that passes is counted. */
export interface BlobFeed {
  /** The blob. */
  readonly descriptor: Descriptor
  /**
   * Its bytes from an offset on. May be called again, to go back. Not compared with the digest. With `borrow`, a chunk is
   * the caller's until the next is asked for, or the loop is left.
   */
  open(offset: number, options?: { readonly borrow?: boolean }): AsyncIterable<Uint8Array>
  /** The same, but compared with the digest where the source does not do that itself. */
  openChecked(offset: number): AsyncIterable<Uint8Array>
  /** Tells that the bytes were wrong; gives whether to open it again. */
  distrust(): boolean
}

/** How a blob came to be there. */
export type BlobOutcome = 'done' | 'present' | 'mounted'

/** What a target may do while it takes a document. */
export interface DocumentContext extends AbortOptions {
  /** Moves a blob again that the target was thought to have; `false` if the plan has no such blob. */
  resend(digest: Digest): Promise<boolean>
}

/**
 * Where an image goes: a registry, a store, or whatever else can take blobs and name an image. Blobs come first, some at a
 * time, then the documents, one by one and children before parents, then `finish`.
 */
export interface TransferTarget {
  /** What plans and people call it. */
  readonly label: string
  /** The repository, if it is one. */
  readonly repository?: Repository | undefined
  /** What its name stands for now, if that can be found out at no great cost; lets the source be asked more cheaply. */
  current?(options?: AbortOptions): Promise<Descriptor | undefined>
  /** A document that it has already, and has at hand. */
  readDocument?(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    options?: AbortOptions,
  ): Promise<Uint8Array | undefined>
  /** What has to happen to each blob, in their order. Changes nothing. */
  needs(nodes: readonly TransferNode[], context: NeedsContext): Promise<readonly StepNeed[]>
  /** Whether `needs` costs so little that it is asked again whenever a plan runs. */
  readonly needsAreCheap: boolean
  /** Keeps what the plan brings for as long as it runs. */
  hold?(label: string, digests: readonly Digest[], options?: AbortOptions): Promise<AsyncDisposable>
  /** Takes one blob. Bytes of another digest never become part of the target. */
  takeBlob(step: PlanStep, feed: BlobFeed, options: AbortOptions): Promise<BlobOutcome>
  /** Takes a manifest or index; that of the root decides what the name stands for, where both is one act. */
  takeDocument(step: PlanStep, bytes: Uint8Array, isRoot: boolean, context: DocumentContext): Promise<void>
  /** Whether a document that is there is to be taken all the same, because that is what moves the name. */
  retakesRoot(): boolean
  /** All is there: gives the name to the root. Gives the name as it is kept. */
  finish(root: Descriptor, context: FinishContext): Promise<string>
}

/** An index that is no part of what was moved. */
export interface KnownIndex {
  /** Its digest. */
  readonly digest: Digest
  /** Its bytes, where they are known. */
  readonly bytes: Uint8Array | undefined
}

/** A layer that was to be compared with its diffID and could not be. */
export interface UnverifiedLayer {
  /** Digest of the layer. */
  readonly digest: Digest
  /** Its media type. */
  readonly mediaType: string
  /** Why, for people. */
  readonly reason: string
}

/** What a target is told at the end. */
export interface FinishContext extends AbortOptions {
  /** What was planned. */
  readonly steps: readonly PlanStep[]
  /** The index that the root was chosen from, with its bytes where they are known. */
  readonly index?: KnownIndex | undefined
  /** Where the blobs came from. */
  readonly source: TransferSource
  /** Whether anything was moved. */
  readonly moved: boolean
  /** Told of every layer that `verifyDiffIds` could not compare. */
  readonly onUnverified?: ((layer: UnverifiedLayer) => void) | undefined
}
