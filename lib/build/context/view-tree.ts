import { type Digest, digestOf } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { UnionView, ViewEntry } from '../../rootfs/index.ts'
import type { OpenedFile, SourceNode, SourceTree } from './source-tree.ts'

/** Options of {@link createViewTree}. */
export interface ViewTreeOptions {
  /** Keep the owners of files when they are copied. @defaultValue `true` */
  readonly keepsOwners?: boolean | undefined
}

/**
 * Creates a source tree of the root filesystem of a stage or an image. No layer is opened until files are read; the
 * digests come from the entry index.
 *
 * @param name - Text for messages, e.g. `stage "deps"`.
 */
export function createViewTree(view: UnionView, name: string, options: ViewTreeOptions = {}): SourceTree {
  return {
    name,
    keepsOwners: options.keepsOwners ?? true,
    stat(path) {
      const entry = view.stat(path)
      return entry && nodeOf(entry)
    },
    list: path => (view.stat(path)?.type === 'directory' ? view.list(path, { follow: false }).map(nodeOf) : []),
    digests: (files, { signal }: AbortOptions = {}) =>
      Promise.all(files.map(file => file.digest ?? digestIn(view, file.path, signal))),
    open: (files, options) => openFiles(view, files, options),
  }
}

/** The digest of a sparse file, whose index entry has only that of the stored bytes. */
async function digestIn(view: UnionView, path: string, signal: AbortSignal | undefined): Promise<Digest> {
  return digestOf(view.read(path, { follow: false, signal }))
}

async function* openFiles(
  view: UnionView,
  files: readonly SourceNode[],
  options: AbortOptions | undefined,
): AsyncGenerator<readonly OpenedFile[], void, undefined> {
  // `withContent` yields the content of a file once, even if the file has several names.
  for (let rest = files; rest.length > 0; ) {
    const nodes = new Map<string | undefined, SourceNode>()
    for (const node of rest) if (!nodes.has(node.inode)) nodes.set(node.inode, node)
    const byPath = new Map([...nodes.values()].map(node => [node.path, node]))
    const entries = [...byPath.keys()].flatMap(path => view.stat(path) ?? [])
    for await (const { path, content } of view.withContent(entries, options)) {
      yield [{ node: byPath.get(path)!, content: content ?? new Uint8Array() }]
    }
    rest = rest.filter(node => nodes.get(node.inode) !== node)
  }
}

function nodeOf(entry: ViewEntry): SourceNode {
  const { path, type, mode, uid, gid, size, mtime, linkname, devMajor, devMinor, xattrs, digest } = entry
  return {
    ...{ path, type, mode, uid, gid, size, mtime },
    ...(linkname !== undefined && { linkname }),
    ...(devMajor !== undefined && { devMajor }),
    ...(devMinor !== undefined && { devMinor }),
    ...(xattrs && { xattrs }),
    // All names of a file share the entry of one layer, which has its own offset there.
    ...(type === 'file' && { digest, inode: `${entry.layer}:${entry.offset}` }),
  }
}
