import type { Digest, HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'
import type { ScannedHeader, TarInput, TarLimits } from '../tar/index.ts'

/** A layer of a view: the stored blob and its diffID. {@link Image} has a list of them. */
export interface ViewLayer {
  /** Descriptor of the stored layer. */
  readonly descriptor: Descriptor
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest
}

/**
 * One path of a root filesystem. `stat` and `list` never return the type `hardlink`: all names of a file are equal
 * there. `walk` yields the first name as the file and the other names as hard links to it.
 */
export interface ViewEntry extends ScannedHeader {
  /**
   * Digest of the content of a file, also of a hard link to it; absent for a sparse file whose content is nearly all
   * holes.
   */
  readonly digest?: Digest | undefined
  /** Digest of the stored bytes of such a sparse file. */
  readonly storedDigest?: Digest | undefined
  /** Offset of the content in the uncompressed tar of its layer. It is unique within the layer. */
  readonly offset: number
  /** Index in {@link UnionView.layers} of the layer of the entry (of a hard link: of its file); -1 if implicit. */
  readonly layer: number
  /** True for a directory without an entry in any layer, which exists because of its children. */
  readonly implicit: boolean
}

/** The layer of a path. */
export interface Provenance extends ViewLayer {
  /** Index of the layer in {@link UnionView.layers}, from 0 for the lowest. */
  readonly index: number
}

/** A deviation of a layer from the specification that every reader understands the same way. */
export interface ViewWarning {
  /** `duplicate-path`: the last entry counts. */
  readonly code: 'duplicate-path'
  /** Path as the layer spells it. */
  readonly path: string
  /** Index of the layer in {@link UnionView.layers}. */
  readonly layer: number
}

/** Options for resolving a path. */
export interface LookupOptions {
  /** Follow a symbolic link at the end of the path. @defaultValue `true` for reading, `false` for `stat` */
  readonly follow?: boolean | undefined
}

/** Range of a file to read. */
export interface ReadFileOptions extends AbortOptions, LookupOptions {
  /** Offset of the first byte. Past the end, the read yields no bytes. @defaultValue `0` */
  readonly offset?: number | undefined
  /** Maximum number of bytes. @defaultValue up to the end */
  readonly length?: number | undefined
}

/** Options for reading the content of many files. */
export interface ContentOptions extends AbortOptions {
  /** Engine that computes diffIDs. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Maximum uncompressed size of one layer in bytes. @defaultValue no limit */
  readonly maxBytes?: number | undefined
  /** Other limits on a layer. @defaultValue those of `readLayer` */
  readonly limits?: Omit<TarLimits, 'maxBytes'> | undefined
}

/**
 * The root filesystem of stacked layers, as a container sees it, without unpacking it to a directory. All methods
 * except `read` and `withContent` work in memory, which grows with the number of entries only.
 *
 * Paths are relative to the root; a leading `/` or `./` is ignored, `..` stays inside the root, and every symbolic link
 * is resolved inside the root.
 */
export interface UnionView {
  /** The layers, lowest first. */
  readonly layers: readonly ViewLayer[]
  /** Number of paths, without the root. */
  readonly entries: number
  /** Deviations of the layers from the specification. */
  readonly warnings: readonly ViewWarning[]

  /** Returns the entry of a path, or `undefined`. The root is `.`; it always exists. */
  stat(path: string, options?: LookupOptions): ViewEntry | undefined

  /**
   * Returns the entries of a directory, in the order of the bytes of their names.
   *
   * @throws {@link RootfsError} `ERR_PATH_NOT_FOUND`, `ERR_NOT_A_DIRECTORY`.
   */
  list(path: string, options?: LookupOptions): readonly ViewEntry[]

  /**
   * Yields the content of a file. Decompresses the layer only up to the end of the file. The content is verified
   * against the file's digest at the end of the stream, unless only a part is read. Of a sparse file without a digest,
   * the stored bytes are verified.
   *
   * @throws {@link RootfsError} `ERR_PATH_NOT_FOUND`, `ERR_NOT_A_FILE`.
   * @throws {@link DigestMismatchError} `ERR_DIGEST_MISMATCH` if the layer contradicts its index.
   */
  read(path: string, options?: ReadFileOptions): AsyncIterable<Uint8Array>

  /**
   * Yields every path except the root, directories before their children, in the order of the bytes of the names with
   * `/` lowest: the order of a reproducible tar. A hard link comes after its file.
   *
   * @param path - Directory to walk. @defaultValue the root
   */
  walk(path?: string): IterableIterator<ViewEntry>

  /**
   * Yields entries of `walk` with their content, ready for writing, and decompresses each layer at most once. First
   * come entries without content, in the given order, then files layer by layer in the order of the layer, then hard
   * links. Read the content once, before asking for the next entry. The loop completes only if every opened layer
   * matched its diffID.
   */
  withContent(entries: Iterable<ViewEntry>, options?: ContentOptions): AsyncIterable<TarInput>

  /** Returns the layer of a path; `undefined` for a missing path or an implicit directory. */
  provenance(path: string, options?: LookupOptions): Provenance | undefined
}
