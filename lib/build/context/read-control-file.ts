import type { AbortOptions } from '../../internal/abort.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { resolveInTree } from './resolve-in-tree.ts'
import type { SourceTree } from './source-tree.ts'

/** SAFETY: such a file is kept in memory, and a context may hold a file of any size under its name. */
const MOST_BYTES = 4 * 1024 * 1024

/** Resolves to the bytes of a small file of a tree, links followed; `undefined` unless the path is a regular file. */
export async function readControlFile(
  tree: SourceTree,
  path: string,
  options: AbortOptions = {},
): Promise<Uint8Array | undefined> {
  const node = resolveInTree(tree, path).node
  if (node?.type !== 'file') return undefined
  for await (const [file] of tree.open([node], options)) {
    const opened = typeof file!.content === 'function' ? await file!.content() : file!.content
    const source: ByteSource = typeof opened === 'string' ? Buffer.from(opened) : opened
    return collectBytes(source, MOST_BYTES, `bytes of ${JSON.stringify(path)}`)
  }
  return undefined
}
