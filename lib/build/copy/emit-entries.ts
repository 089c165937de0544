import type { AbortOptions } from '../../internal/abort.ts'
import { compareArchiveOrder, opaquePath } from '../../layer/index.ts'
import type { UnionView } from '../../rootfs/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { OpenedFile, SourceNode, SourceTree } from '../context/source-tree.ts'
import type { DraftContent, LocalArchive } from './draft-content.ts'
import { knownEntries } from './known-entries.ts'
import type { DraftEntry, LayerDraft } from './layer-draft.ts'
import { archiveMembers } from './place-archive.ts'

/** Files of the draft by the place of their content. */
interface Pending {
  readonly trees: Map<SourceTree, PendingFiles>
  readonly archives: Map<LocalArchive, Map<number, DraftEntry>>
}

/** Files that a tree gives content to: for each node its first target, and further ones, which need further reads. */
interface PendingFiles {
  readonly first: Map<SourceNode, DraftEntry>
  readonly again: (readonly [SourceNode, DraftEntry])[]
}

/**
 * Yields the entries of a planned layer in batches: everything that has no content in archive order, then files in the
 * order that is cheapest to read, then hard links. Directories of the layers below that lead to an entry are entries as
 * well, unchanged, so that the layer stands alone.
 */
export async function* emitEntries(
  draft: LayerDraft,
  below: UnionView | undefined,
  options: AbortOptions,
): AsyncGenerator<readonly TarInput[], void, undefined> {
  const pending: Pending = { trees: new Map(), archives: new Map() }
  const first = new Map<string, string>()
  const [others, links]: [TarInput[], TarInput[]] = [[], []]
  for (const entry of withParents(draft, below)) {
    const { header, inode, content, opaque } = entry
    const known = inode === undefined ? undefined : first.get(inode)
    if (inode !== undefined && known === undefined) first.set(inode, header.path)
    if (known !== undefined) links.push({ ...header, type: 'hardlink', size: 0, linkname: known })
    else if (content) addPending(pending, content, entry)
    else others.push(header)
    if (opaque) others.push({ path: opaquePath(header.path), type: 'file', size: 0 })
  }
  yield others
  for (const [tree, files] of pending.trees) yield* emitFiles(tree, files, options)
  for (const [archive, members] of pending.archives) yield* emitMembers(archive, members, options)
  yield links
}

/** Entries of the draft and unchanged directories above them, in archive order. */
export function withParents(draft: LayerDraft, below: UnionView | undefined): readonly DraftEntry[] {
  const parents = new Map<string, DraftEntry>()
  let last = ''
  for (const path of draft.entries.keys()) {
    // PERF: most paths that follow each other are in one directory.
    const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (directory === last) continue
    last = directory
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const above = path.slice(0, slash)
      if (draft.entries.has(above) || parents.has(above)) break
      const found = below?.stat(above)
      if (!found) continue
      const { mode, uid, gid, mtime, xattrs } = found
      const header = { path: above, type: 'directory', mode, uid, gid, size: 0, mtime } as const
      parents.set(above, { header: xattrs ? { ...header, xattrs } : header })
    }
  }
  return inArchiveOrder([...[...parents.values()].reverse(), ...draft.entries.values()])
}

/** PERF: the entries of one source are in archive order already, and the directories above them come before. */
function inArchiveOrder(entries: readonly DraftEntry[]): readonly DraftEntry[] {
  const isSorted = entries.every(
    ({ header }, i) => i === 0 || compareArchiveOrder(entries[i - 1]!.header.path, header.path) < 0,
  )
  return isSorted ? entries : [...entries].sort((a, b) => compareArchiveOrder(a.header.path, b.header.path))
}

function addPending({ trees, archives }: Pending, content: DraftContent, entry: DraftEntry): void {
  if (content.kind === 'member') {
    const members = archives.get(content.archive) ?? new Map<number, DraftEntry>()
    archives.set(content.archive, members.set(content.ordinal, entry))
    return
  }
  const files = trees.get(content.tree) ?? { first: new Map<SourceNode, DraftEntry>(), again: [] }
  trees.set(content.tree, files)
  if (files.first.has(content.node)) files.again.push([content.node, entry])
  else files.first.set(content.node, entry)
}

/** A file that is copied to several paths is read once for each: its content is not kept. */
async function* emitFiles(
  tree: SourceTree,
  { first, again }: PendingFiles,
  options: AbortOptions,
): AsyncGenerator<readonly TarInput[], void, undefined> {
  if (tree.lazy) {
    yield* knownEntries(tree, first)
    return yield* knownEntries(tree, again)
  }
  for await (const batch of tree.open([...first.keys()], options)) {
    yield batch.map(file => inputOf(file, first.get(file.node)!))
  }
  for (const [node, entry] of again) {
    for await (const batch of tree.open([node], options)) yield batch.map(file => inputOf(file, entry))
  }
}

function inputOf({ node, content }: OpenedFile, { header }: DraftEntry): TarInput {
  const { size: _, ...rest } = header
  // Content in memory says its size itself.
  return content instanceof Uint8Array ? { ...rest, content } : { ...rest, content, size: node.size }
}

/** All names of a member share its inode, so a member has one target. */
async function* emitMembers(
  archive: LocalArchive,
  members: ReadonlyMap<number, DraftEntry>,
  options: AbortOptions,
): AsyncGenerator<readonly TarInput[], void, undefined> {
  for await (const { entry, ordinal } of archiveMembers(archive, options)) {
    const target = members.get(ordinal)
    if (target) yield [{ ...target.header, size: entry.size, content: entry.content }]
  }
}
