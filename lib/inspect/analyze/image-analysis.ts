import type { Digest } from '../../digest/index.ts'
import type { Biggest } from '../contents/find-biggest.ts'
import type { FoundCache } from '../contents/find-caches.ts'
import type { FoundSecret } from '../contents/find-secrets.ts'
import type { SetIdFile } from '../contents/find-set-id.ts'
import type { DiveEfficiency } from '../efficiency/measure-efficiency.ts'
import type { Copies } from '../waste/find-copies.ts'
import type { Rewrites, Waste } from '../waste/sum-waste.ts'

/** Figures of one layer. */
export interface LayerFigures {
  /** Index of the layer, from 0 for the lowest. */
  readonly index: number
  /** Digest of the blob. */
  readonly digest: Digest
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest
  /** Command that made the layer, if the history has it. */
  readonly createdBy?: string
  /** Bytes of the compressed blob. */
  readonly blobBytes: number
  /** Bytes of its files. */
  readonly bytes: number
  /** Number of its files. */
  readonly files: number
  /** Bytes of its files that a container does not see. */
  readonly hiddenBytes: number
  /** True for a layer of the base. */
  readonly base: boolean
}

/** The base of an image, as far as the analysis knows it. */
export interface AnalysedBase {
  /** Number of lowest layers that belong to the base. */
  readonly layers: number
  /**
   * `option`: the caller said so. `annotation`: the manifest names the base, and the store has it. `first-layer`:
   * nothing is known, and the lowest layer is taken for the base, as dive does.
   */
  readonly from: 'option' | 'annotation' | 'first-layer'
  /** Bytes of the compressed layers of the base, which other images on it share. */
  readonly blobBytes: number
}

/** Findings about one image. Plain data; sizes are bytes, layers are indexes from 0 for the lowest. */
export interface ImageAnalysis {
  /** Version of this shape. */
  readonly version: 1
  /** Digest of the manifest. */
  readonly digest: Digest
  /** Platform of the image, if its config names one. */
  readonly platform?: string
  /** Bytes of all compressed layers. */
  readonly blobBytes: number
  /** Bytes of all files in all layers. */
  readonly bytes: number
  /** Bytes of the files that a container sees. */
  readonly visibleBytes: number
  /** Number of paths that a container sees. */
  readonly entries: number
  /** The layers, lowest first. */
  readonly layers: readonly LayerFigures[]
  /** The base. */
  readonly base: AnalysedBase
  /** Efficiency as dive defines it. */
  readonly efficiency: DiveEfficiency
  /** Bytes that are stored but not visible, without the copies that remain. */
  readonly waste: Waste
  /** Files stored again with the same content; part of `waste`. */
  readonly rewrites: Rewrites
  /** The same visible content at several paths; no part of `waste`. */
  readonly copies: Copies
  /** Largest files and directories. */
  readonly biggest: Biggest
  /** Caches, temporary files and logs in any layer. */
  readonly caches: readonly FoundCache[]
  /** Secrets in any layer and in the config. */
  readonly secrets: {
    /** Number of secrets. */
    readonly count: number
    /** The secrets: files by layer, then variables. */
    readonly found: readonly FoundSecret[]
  }
  /** Programs with set-id bits. */
  readonly setId: readonly SetIdFile[]
}
