import type { AbortOptions } from '../../internal/abort.ts'
import type { TarInput } from '../../tar/index.ts'
import { readDirectory } from '../source/read-directory.ts'
import type { Tree, TreeEntry } from './tree.ts'

/**
 * A directory as a tree, with owners, modes and times as they are on disk (times in whole seconds). Symbolic links are
 * not followed, sockets are left out. Extended attributes are not read, and therefore not compared. The directory is read
 * anew with each walk, in another thread if it is large.
 *
 * @throws {@link SourceError} `ERR_SOURCE_NOT_FOUND`, from the walk, if there is no such directory.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`, from the walk, if a name begins with `.wh.`, which cannot be in an
 * image.
 */
export function directoryTree(directory: string, options: AbortOptions = {}): Tree {
  return {
    tellsXattrs: false,
    walk: () => walk(directory, options),
    async *withContent(entries) {
      for (const { digest: _, ...entry } of entries) yield entry satisfies TarInput
    },
  }
}

async function* walk(root: string, { signal }: AbortOptions): AsyncGenerator<TreeEntry, void, undefined> {
  const how = { ignore: [], hardLinks: true, contents: false, xattrs: false, reader: 'thread' } as const
  for await (const { entry, content } of readDirectory({ root, signal, ...how })) {
    const { dev: _dev, ino: _ino, xattrs: _xattrs, ...header } = entry
    const mtime = Math.floor(header.mtime)
    yield { ...header, mtime, ...(entry.type === 'file' ? { content } : {}) } as TreeEntry
  }
}
