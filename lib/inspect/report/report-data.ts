import type { ImageAnalysis } from '../analyze/image-analysis.ts'
import type { DedupReport } from '../dedup/dedup-report.ts'
import type { SplitAdvice } from '../split/split-advice.ts'

/** One image of a report page. */
export interface ReportedImage {
  /** Name for readers. */
  readonly name: string
  readonly analysis: ImageAnalysis
  /** Steps of the image, oldest first: the command, and the index of the layer that it made. */
  readonly steps: readonly { readonly command: string; readonly layer?: number }[]
  /** Creation time as the config states it. */
  readonly created?: string
}

/** Layer that several images of a page have. */
export interface SharedLayer {
  /** Digest of the uncompressed tar. */
  readonly diffId: string
  /** Command that made it, if a history has it. */
  readonly createdBy?: string
  /** Bytes of its files. */
  readonly bytes: number
  /** Bytes of the compressed blob in the first of the images. */
  readonly blobBytes: number
  /** Indexes of the images. */
  readonly images: readonly number[]
}

/** Figures of one image among others. */
export interface ImageShare {
  /** Bytes of its files in layers that another image has too. */
  readonly layerBytes: number
  /** Bytes of its distinct file contents that another image has too, in any layer. */
  readonly contentBytes: number
  /** Bytes of its distinct file contents that no other image has. */
  readonly ownBytes: number
}

/** Content that several images have in common. */
export interface SharedContent {
  /** Layers of several images, largest first. */
  readonly layers: readonly SharedLayer[]
  /** Figures of each image. */
  readonly images: readonly ImageShare[]
  /** Bytes of files if each image, each layer, or each file content is kept once. */
  readonly kept: { readonly image: number; readonly layer: number; readonly file: number }
}

/** Data of a report page. Plain JSON. */
export interface ReportData {
  readonly kind: 'report'
  readonly images: readonly ReportedImage[]
  /** Absent for one image. */
  readonly shared?: SharedContent
  readonly dedup?: DedupReport
  readonly split?: SplitAdvice
  /** Address of the list of images; absent for a page in a file. */
  readonly home?: string
}
