import type { Digest, HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'
import type { ScannedHeader, TarInput, TarLimits } from '../tar/index.ts'

/** One layer of a view: the stored blob and what its uncompressed tar hashes to. {@link Image} has a list of them. */
export interface ViewLayer {
  /** The layer as it is stored. */
  readonly descriptor: Descriptor
  /** The digest of its uncompressed tar. */
  readonly diffId: Digest
}

/**
 * One path of a root filesystem. Never of the kind `hardlink` when it comes from `stat` or `list`: all names of a file
 * are equal there. `walk` gives the first name as the file and the others as hard links to it.
 */
export interface ViewEntry extends ScannedHeader {
  /** Digest of the content of a file, also of a hard link to it. */
  readonly digest?: Digest | undefined
  /** Where the content begins in the uncompressed tar of its layer. No two entries of a layer have the same. */
  readonly offset: number
  /** Place in {@link UnionView.layers} of the layer that the entry (for a hard link: its file) comes from; -1 if implicit. */
  readonly layer: number
  /** Whether no layer has an entry for it: a directory that is there only because something in it is. */
  readonly implicit: boolean
}

/** Which layer a path comes from. */
export interface Provenance extends ViewLayer {
  /** Place of the layer in {@link UnionView.layers}, from 0 for the lowest. */
  readonly index: number
}

/** Something in a layer that is not as the spec wants it, but can be understood in one way only. */
export interface ViewWarning {
  /** `duplicate-path`: the last entry counts. */
  readonly code: 'duplicate-path'
  /** The path as it stands in the layer. */
  readonly path: string
  /** Place of the layer in {@link UnionView.layers}. */
  readonly layer: number
}

/** How to look up a path. */
export interface LookupOptions {
  /** What to do if the last part of the path is a symbolic link. @defaultValue `true` for reading, `false` for `stat` */
  readonly follow?: boolean | undefined
}

/** Which part of a file to read. */
export interface ReadFileOptions extends AbortOptions, LookupOptions {
  /** First byte. Past the end gives no bytes. @defaultValue `0` */
  readonly offset?: number | undefined
  /** Number of bytes at most. @defaultValue up to the end */
  readonly length?: number | undefined
}

/** How to read the content of many files. */
export interface ContentOptions extends AbortOptions {
  /** What computes diffIds. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Bytes that the tar of one layer may have. @defaultValue no limit */
  readonly maxBytes?: number | undefined
  /** What else a layer may hold. @defaultValue those of `readLayer` */
  readonly limits?: Omit<TarLimits, 'maxBytes'> | undefined
}

/**
 * The root filesystem that layers make when they are stacked: what a container would see, without a directory to unpack
 * into. Everything but `read` answers from memory, which grows with the number of entries and with nothing else.
 *
 * Paths are relative to the root; `/` or `./` in front make no difference, `..` stays inside the root, and symbolic
 * links are resolved inside the root, whatever they point to.
 */
export interface UnionView {
  /** The layers, lowest first. */
  readonly layers: readonly ViewLayer[]
  /** Number of paths, the root not counted. */
  readonly entries: number
  /** What was odd about the layers. */
  readonly warnings: readonly ViewWarning[]

  /** What is under a path, or `undefined`. The root is `.`; it is always there. */
  stat(path: string, options?: LookupOptions): ViewEntry | undefined

  /**
   * What is in a directory, ordered by the bytes of the names.
   *
   * @throws {@link RootfsError} `ERR_PATH_NOT_FOUND`, `ERR_NOT_A_DIRECTORY`.
   */
  list(path: string, options?: LookupOptions): readonly ViewEntry[]

  /**
   * The content of a file. The layer is decompressed up to the end of the file and no further; what comes out is proven
   * against the file's digest, at the end of the stream, unless only a part is read.
   *
   * @throws {@link RootfsError} `ERR_PATH_NOT_FOUND`, `ERR_NOT_A_FILE`.
   * @throws {@link DigestMismatchError} `ERR_DIGEST_MISMATCH` if the layer does not hold what its index says.
   */
  read(path: string, options?: ReadFileOptions): AsyncIterable<Uint8Array>

  /**
   * Every path but the root, directories before what is in them, ordered by the bytes of the names with `/` lowest: the
   * order of a reproducible tar. A hard link comes after its file.
   *
   * @param path - Directory to walk. @defaultValue the root
   */
  walk(path?: string): IterableIterator<ViewEntry>

  /**
   * Entries of `walk` as something to write, with their content, each layer decompressed once at most: first what has no
   * content, in its order, then files layer by layer as they stand there, then hard links. Content is for one reading,
   * before the next entry is asked for. The loop ends only if every layer that was opened had its diffId.
   */
  withContent(entries: Iterable<ViewEntry>, options?: ContentOptions): AsyncIterable<TarInput>

  /** The layer that a path comes from; `undefined` if there is nothing, or an implicit directory. */
  provenance(path: string, options?: LookupOptions): Provenance | undefined
}
