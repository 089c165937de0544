import { compareArchiveOrder } from '../../layer/index.ts'
import type { UnionView } from '../../rootfs/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { SourceNode, SourceTree } from '../context/source-tree.ts'
import { withParents } from './emit-entries.ts'
import { knownEntries } from './known-entries.ts'
import { type DraftEntry, type LayerDraft, refuseWhiteout } from './layer-draft.ts'
import { type PlacingOptions, placeEmptyTop } from './place-match.ts'
import type { SourceMatch } from './source-match.ts'

const BATCH = 1024

/** Nodes of a tree with their entries, in archive order; each call begins anew. */
type Content = () => Iterable<readonly [SourceNode, DraftEntry]>

/**
 * Returns the entries of a copy, in the order of `emitEntries`. Returns `undefined` if the copy has several sources, or
 * if its destination is not empty.
 *
 * PERF: nearly all large copies are of this kind. Entries are made when they are asked for, and no object of them is
 * kept: with 70,000 paths the maps and objects of a draft take 30 MB.
 */
export function emitContent(
  draft: LayerDraft,
  matches: readonly SourceMatch[],
  below: UnionView | undefined,
  options: PlacingOptions,
): Iterable<readonly TarInput[]> | AsyncIterable<readonly TarInput[]> | undefined {
  const [found] = matches
  if (!found || matches.length > 1 || !found.tree.lazy || !isInArchiveOrder(found.content)) return undefined
  const content = placeEmptyTop(draft, found, options)
  return content && entriesOf(withParents(draft, below), found.tree, content)
}

function isInArchiveOrder(nodes: readonly SourceNode[]): boolean {
  return nodes.every(({ path }, i) => i === 0 || compareArchiveOrder(nodes[i - 1]!.path, path) < 0)
}

async function* entriesOf(
  above: readonly DraftEntry[],
  tree: SourceTree,
  content: Content,
): AsyncGenerator<readonly TarInput[], void, undefined> {
  yield above.map(({ header }) => header)
  yield* othersOf(content)
  const links: TarInput[] = []
  yield* knownEntries(tree, filesOf(content, links))
  yield links
}

/** The entries without content. */
function* othersOf(content: Content): Generator<readonly TarInput[], void, undefined> {
  let batch: TarInput[] = []
  for (const [, entry] of content()) {
    refuseWhiteout(entry.header.path)
    if (entry.content || batch.push(entry.header) < BATCH) continue
    yield batch
    batch = []
  }
  yield batch
}

/** The files; further names of a file become hard links. */
function* filesOf(content: Content, links: TarInput[]): Iterable<readonly [SourceNode, DraftEntry]> {
  const first = new Map<string, string>()
  for (const [node, entry] of content()) {
    const { header, inode } = entry
    if (!entry.content) continue
    const known = inode === undefined ? undefined : first.get(inode)
    if (known !== undefined) {
      links.push({ ...header, type: 'hardlink', size: 0, linkname: known })
      continue
    }
    if (inode !== undefined) first.set(inode, header.path)
    yield [node, entry]
  }
}
