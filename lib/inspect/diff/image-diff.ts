import type { Digest } from '../../digest/index.ts'
import type { ChangedField } from '../../layer/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { ViewEntry } from '../../rootfs/index.ts'

/** Difference between two images. Plain data. */
export interface ImageDiff {
  /** Version of this shape. */
  readonly version: 1
  /** Digest of the manifest of the first image. */
  readonly before: Digest
  /** Digest of the manifest of the second image. */
  readonly after: Digest
  /** True if nothing that was compared differs. Creation times and the history are not compared. */
  readonly equal: boolean
  /** Differences of configs and manifest annotations. */
  readonly config: readonly ConfigDifference[]
  /** Comparison of the layers, by diffID. */
  readonly layers: LayersDiff
  /** Comparison of the root filesystems; absent with `files: false`. */
  readonly files?: FilesDiff
}

/** One difference between two configs. */
export interface ConfigDifference {
  /** Member: of the run configuration (`Env`, `Labels`, `Cmd` …), of the config (`os` …), or `annotations`. */
  readonly member: string
  /** Variable, label, port, volume or annotation; absent for members that are one value. */
  readonly name?: string
  /** Value in the first image; absent if the second image adds it. */
  readonly before?: unknown
  /** Value in the second image; absent if it is removed. */
  readonly after?: unknown
}

/** A layer that one image has and the other lacks. */
export interface DiffedLayer {
  /** Index of the layer in its image, from 0 for the lowest. */
  readonly index: number
  /** Descriptor of the blob. */
  readonly descriptor: Descriptor
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest
  /** Command that made the layer, if the history has it. */
  readonly createdBy?: string
}

/** Comparison of the layers of two images. */
export interface LayersDiff {
  /** Number of lowest layers that both images have in the same place. */
  readonly shared: number
  /** Layers of the first image that the second lacks, lowest first. */
  readonly removed: readonly DiffedLayer[]
  /** Layers of the second image that the first lacks, lowest first. */
  readonly added: readonly DiffedLayer[]
  /** True if the images have the same layers in another order. */
  readonly reordered: boolean
}

/** A path that only one image has. */
export interface DiffedFile {
  /** The path, without a leading `/`. */
  readonly path: string
  /** Kind of entry; `file` for every name of a hard-linked file. */
  readonly type: ViewEntry['type']
  /** Size of a file in bytes; 0 for other kinds. */
  readonly size: number
  /** Index of the layer that the path comes from; -1 for a directory that no layer has an entry for. */
  readonly layer: number
}

/** A path of both images whose entries differ. */
export interface ChangedFile extends DiffedFile {
  /** Fields that differ. */
  readonly fields: readonly ChangedField[]
  /** Size in the first image, in bytes. */
  readonly sizeBefore: number
}

/** A file whose content the first image has at another path, which the second image lacks. */
export interface MovedFile extends DiffedFile {
  /** Path in the first image. */
  readonly from: string
  /** Metadata that differs. */
  readonly fields: readonly ChangedField[]
}

/** Comparison of two root filesystems. Paths are in the order of a walk, and in one list only. */
export interface FilesDiff {
  /** Paths that only the second image has, without moved files. */
  readonly added: readonly DiffedFile[]
  /** Paths that only the first image has, with everything below removed directories, without moved files. */
  readonly removed: readonly DiffedFile[]
  /** Paths with another content, type, link target or device; metadata may differ too. */
  readonly changed: readonly ChangedFile[]
  /** Paths with the same content and other metadata. */
  readonly metadataOnly: readonly ChangedFile[]
  /** Files with the same content at another path. */
  readonly moved: readonly MovedFile[]
  /** Bytes of the files of the first image. */
  readonly bytesBefore: number
  /** Bytes of the files of the second image. */
  readonly bytesAfter: number
}
