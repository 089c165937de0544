import type { AbortOptions } from '../../internal/abort.ts'
import type { TarInput } from '../../tar/index.ts'
import type { ReadEntry } from '../source/read-directory.ts'
import type { Tree, TreeEntry } from './tree.ts'

/** Options of {@link directoryTree}. */
export interface DirectoryTreeOptions extends AbortOptions {
  /**
   * Read extended attributes of files and directories, so that they are compared and kept. Needs the optional
   * package `fs-xattr`, and Linux. @defaultValue `false`
   */
  readonly xattrs?: boolean | undefined
  /** Patterns of paths to omit, as in a `.dockerignore`. @defaultValue none */
  readonly ignore?: readonly string[] | undefined
}

/**
 * Opens a directory as a tree, with the owners, modes and times on disk (times in whole seconds). Symbolic links are
 * not followed, sockets are omitted. Extended attributes are read, and compared, only with `xattrs`; those that are
 * valid on this machine only (overlayfs, SELinux) are omitted. Each walk reads the directory again, in a worker thread
 * if it is large.
 *
 * @example
 * ```ts
 * const diff = await diffTrees(await openUnionView(store, 'app:1.0'), directoryTree('./rootfs', { xattrs: true }))
 * ```
 *
 * @throws {@link SourceError} `ERR_SOURCE_NOT_FOUND`, from the walk, if the directory does not exist.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`, from the walk, if a name begins with `.wh.`, which cannot be in
 * an image, or with `xattrs` if `fs-xattr` is not installed.
 */
export function directoryTree(directory: string, options: DirectoryTreeOptions = {}): Tree {
  return {
    tellsXattrs: options.xattrs ?? false,
    walk: () => walk(directory, options),
    async *withContent(entries) {
      for (const { digest: _, ...entry } of entries) yield entry satisfies TarInput
    },
  }
}

async function* walk(root: string, options: DirectoryTreeOptions): AsyncGenerator<TreeEntry, void, undefined> {
  const { readDirectory } = await import('../source/read-directory.ts')
  const { signal, xattrs = false, ignore = [] } = options
  const how = { ignore, hardLinks: true, contents: false, xattrs, reader: 'thread' } as const
  for await (const { value } of readDirectory({ root, signal, ...how })) yield* value.map(treeEntry)
}

function treeEntry({ entry, content }: ReadEntry): TreeEntry {
  const { dev: _dev, ino: _ino, xattrs: packed, ...header } = entry
  const xattrs = packed && new Map(packed.map(([name, value]) => [name, Buffer.from(value, 'base64')]))
  const mtime = Math.floor(header.mtime)
  return {
    ...header,
    mtime,
    ...(xattrs && { xattrs }),
    ...(entry.type === 'file' ? { content } : {}),
  } as TreeEntry
}
