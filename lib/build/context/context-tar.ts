import type { AbortOptions } from '../../internal/abort.ts'
import { inBatches } from '../../internal/memory/batched-iterable.ts'
import { type Borrowed, owned } from '../../internal/memory/borrowed.ts'
import { type TarInput, writeTar } from '../../tar/index.ts'
import type { BuildContext } from './build-context.ts'
import type { OpenedFile, SourceNode } from './source-tree.ts'
import { walkSource } from './walk-source.ts'

/**
 * Yields a context as the bytes of a tar archive, after the ignore file: what `docker build -` and the build API of
 * engines take. Owner and group are 0, times are those of the files. Directories, links and devices come first, then
 * files. Memory grows with the number of entries only.
 *
 * @throws {@link SourceError} `ERR_SOURCE_CHANGED`, `ERR_SOURCE_READ`.
 */
export function contextTar(
  context: BuildContext,
  options: AbortOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  return writeTar(inBatches(entriesOf(context, options)), options)
}

async function* entriesOf(
  { tree }: BuildContext,
  options: AbortOptions,
): AsyncGenerator<Borrowed<readonly TarInput[]>, void, undefined> {
  const nodes = [...walkSource(tree, '.')]
  const first = new Map<string, string>()
  const [files, links, others]: [SourceNode[], TarInput[], TarInput[]] = [[], [], []]
  for (const node of nodes) {
    const known = node.inode === undefined ? undefined : first.get(node.inode)
    if (node.type !== 'file') others.push(headerOf(node))
    else if (known !== undefined) links.push({ ...headerOf(node), type: 'hardlink', size: 0, linkname: known })
    else files.push(node)
    if (node.inode !== undefined && known === undefined) first.set(node.inode, node.path)
  }
  yield owned(others)
  for await (const batch of tree.open(files, options)) yield owned(batch.map(fileOf))
  yield owned(links)
}

function fileOf({ node, content }: OpenedFile): TarInput {
  const { size: _, ...header } = headerOf(node)
  return { ...header, content, ...(content instanceof Uint8Array ? {} : { size: node.size }) }
}

function headerOf({ path, type, mode, size, mtime, linkname, devMajor, devMinor, xattrs }: SourceNode): TarInput {
  return {
    ...{ path, type, mode, uid: 0, gid: 0, size, mtime },
    ...(linkname !== undefined && { linkname }),
    ...(devMajor !== undefined && { devMajor }),
    ...(devMinor !== undefined && { devMinor }),
    ...(xattrs && { xattrs }),
  }
}
