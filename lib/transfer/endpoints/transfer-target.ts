import type { Digest, FileLender } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor, Repository } from '../../oci/index.ts'
import type { FetchedManifest } from '../../registry/index.ts'
import type { PlanStep } from '../plan.ts'
import type { TransferNode } from './transfer-graph.ts'
import type { TransferSource } from './transfer-source.ts'

/** The need of one blob, as the target reports it. */
export type StepNeed = Pick<PlanStep, 'need' | 'reason' | 'from' | 'offset' | 'sameDiffIdAs'>

/** Context of a call of `needs`. */
export interface NeedsContext extends AbortOptions {
  /** The root manifest or index. */
  readonly root: Descriptor
  /** Source of the blobs. */
  readonly source: TransferSource
  /** Documents that were already read, by digest. */
  readonly documents: ReadonlyMap<string, Uint8Array>
}

/** The bytes of one blob on their way to a target. The feed counts every byte that it yields. */
export interface BlobFeed {
  /** Descriptor of the blob. */
  readonly descriptor: Descriptor
  /**
   * Reads the blob from an offset, without comparing it with its digest. A target may call it again, also with a
   * smaller offset. With `borrow`, the memory of a chunk may be reused once the target asks for the next chunk or
   * leaves the loop. With `lender`, a thread may append the bytes to a file; the chunks then only count them.
   */
  open(
    offset: number,
    options?: { readonly borrow?: boolean | undefined; readonly lender?: FileLender | undefined },
  ): AsyncIterable<Uint8Array>
  /**
   * Reads the blob as `open` does, and compares it with its digest unless the source does. With `lend`, chunks may be
   * `LentBytes`, the places of bytes that a thread reads from a file.
   */
  openChecked(offset: number, options?: { readonly lend?: boolean | undefined }): AsyncIterable<Uint8Array>
  /** Reports that the bytes were wrong; returns true if the target should open the blob again. */
  distrust(): boolean
}

/** Result of taking a blob: moved, already present, or mounted by the registry. */
export type BlobOutcome = 'done' | 'present' | 'mounted'

/** Context of a call of `takeDocument`. */
export interface DocumentContext extends AbortOptions {
  /**
   * Moves a blob again that the target reported as present but lacks. Resolves to `false` if the plan has no such blob.
   */
  resend(digest: Digest): Promise<boolean>
}

/**
 * Target of an image: a registry, a store, or any object that takes blobs and names an image. `runTransfer` passes the
 * blobs first, several at a time, then the documents one by one, children before parents, then calls `finish`.
 */
export interface TransferTarget {
  /** Label in plans and messages. */
  readonly label: string
  /** The repository, if the target is one. */
  readonly repository?: Repository | undefined
  /**
   * Resolves the current descriptor of the target's name, if that is cheap. If there is one, the plan asks the source
   * by HEAD first.
   */
  current?(options?: AbortOptions): Promise<Descriptor | undefined>
  /** Reads a document that the target has, if that is cheap. */
  readDocument?(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    options?: AbortOptions,
  ): Promise<Uint8Array | undefined>
  /**
   * Resolves to the manifest under a tag beside the image; to `undefined` if there is none. Absent: what is there is
   * replaced.
   */
  tagged?(tag: string, options?: AbortOptions): Promise<FetchedManifest | undefined>
  /** Reports the need of each blob, in the order of `nodes`. Changes nothing. */
  needs(nodes: readonly TransferNode[], context: NeedsContext): Promise<readonly StepNeed[]>
  /** True if `needs` is so cheap that every run calls it again. */
  readonly needsAreCheap: boolean
  /** Protects the blobs of the plan until it is disposed of. */
  hold?(label: string, digests: readonly Digest[], options?: AbortOptions): Promise<AsyncDisposable>
  /** Takes one blob. Bytes that do not match the digest must never become part of the target. */
  takeBlob(step: PlanStep, feed: BlobFeed, options: AbortOptions): Promise<BlobOutcome>
  /**
   * Takes a manifest or index. In a registry, the same request sets the tags: those of the name if the document is the
   * root, else {@link PlanStep.tags}. Other targets set them in `finish`.
   */
  takeDocument(step: PlanStep, bytes: Uint8Array, isRoot: boolean, context: DocumentContext): Promise<void>
  /** True if the root must be taken even if the target has it, because taking it sets the tags. */
  retakesRoot(): boolean
  /** Called when everything has arrived: sets the name to the root. Resolves to the name as the target stores it. */
  finish(root: Descriptor, context: FinishContext): Promise<string>
}

/** The index that the root was chosen from; it is no part of the image. */
export interface KnownIndex {
  /** Digest of the index. */
  readonly digest: Digest
  /** Bytes of the index, if they were read. */
  readonly bytes: Uint8Array | undefined
}

/** A layer that `verifyDiffIds` could not compare with its diffID. */
export interface UnverifiedLayer {
  /** Digest of the layer. */
  readonly digest: Digest
  /** Media type of the layer. */
  readonly mediaType: string
  /** Reason, as readable text. */
  readonly reason: string
}

/** Context of a call of `finish`. */
export interface FinishContext extends AbortOptions {
  /** Steps of the plan. */
  readonly steps: readonly PlanStep[]
  /** The index that the root was chosen from. */
  readonly index?: KnownIndex | undefined
  /** Source of the blobs. */
  readonly source: TransferSource
  /** True if a blob or document was moved. */
  readonly moved: boolean
  /** Called for every layer that `verifyDiffIds` could not compare. */
  readonly onUnverified?: ((layer: UnverifiedLayer) => void) | undefined
}
