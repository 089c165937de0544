import { digestOf } from '../../digest/index.ts'
import type { KnownEntry } from '../../layer/index.ts'
import type { TarHeader } from '../../tar/index.ts'
import type { LazyFile, SourceNode, SourceTree } from '../context/source-tree.ts'
import type { DraftEntry } from './layer-draft.ts'

const BATCH = 1024
/** Content that is kept in memory because its file may still change unnoticed. */
const MOST_KEPT_BYTES = 4 * 1024 * 1024

/**
 * Yields entries whose content is not read yet, with the digests of their content, so that a layer can take over what
 * an earlier one has.
 */
export async function* knownEntries(
  tree: SourceTree,
  files: Iterable<readonly [SourceNode, DraftEntry]>,
): AsyncGenerator<readonly KnownEntry[], void, undefined> {
  const kept = new KeptContent()
  let batch: KnownEntry[] = []
  for (const [node, { header }] of files) {
    const file = tree.lazy!(node)
    const known = file.digest === undefined ? await kept.read(file, node.size) : file
    if (batch.push(knownEntry(header, node.size, known)) < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** PERF: a spread with members behind it makes objects of 1 KB; there are tens of thousands. */
export function knownEntry(
  { path, type, mode, uid, gid, mtime, xattrs }: TarHeader,
  size: number,
  { content, digest }: LazyFile,
): KnownEntry {
  const entry = { path, type, mode, uid, gid, size, mtime, content, digest }
  return xattrs ? { ...entry, xattrs } : entry
}

/**
 * Content of files of one layer that is in memory.
 *
 * SAFETY: a file that was changed just before it was hashed may change again without another identity, and then its
 * content would not be that of the digest. Such files are few and are read and hashed here. If they are large, they
 * have no digest.
 */
export class KeptContent {
  #bytes = 0

  /** Reads a file that has no digest, if there is room for it. */
  async read(file: LazyFile, size: number): Promise<LazyFile> {
    if (this.#bytes + size > MOST_KEPT_BYTES) return file
    this.#bytes += size
    const read = file.content()
    if (!(read instanceof Uint8Array)) return file
    const content = Buffer.from(read)
    return { content: () => content, digest: await digestOf(content, { hasher: 'native' }) }
  }
}
