import type { AbortOptions } from '../../internal/abort.ts'
import { compareArchiveOrder, opaquePath } from '../../layer/index.ts'
import type { UnionView } from '../../rootfs/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { SourceNode, SourceTree } from '../context/source-tree.ts'
import type { LocalArchive } from './draft-content.ts'
import type { DraftEntry, LayerDraft } from './layer-draft.ts'
import { archiveMembers } from './place-archive.ts'

/** A file of the draft that gets its content from a tree or an archive. */
interface PendingFile {
  readonly path: string
  readonly entry: DraftEntry
}

/** Files of the draft by the place of their content. */
interface Pending {
  readonly trees: Map<SourceTree, Map<SourceNode, PendingFile[]>>
  readonly archives: Map<LocalArchive, Map<number, PendingFile[]>>
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
  const entries = withParents(draft, below)
  const pending: Pending = { trees: new Map(), archives: new Map() }
  const first = new Map<string, string>()
  const [others, links]: [TarInput[], TarInput[]] = [[], []]
  for (const [path, entry] of entries) {
    const known = entry.inode === undefined ? undefined : first.get(entry.inode)
    if (entry.inode !== undefined && known === undefined) first.set(entry.inode, path)
    if (known !== undefined) links.push({ path, ...entry.header, type: 'hardlink', size: 0, linkname: known })
    else if (entry.content) addPending(pending, path, entry)
    else others.push({ path, ...entry.header })
    if (entry.opaque) others.push({ path: opaquePath(path), type: 'file', size: 0 })
  }
  yield others
  for (const [tree, files] of pending.trees) yield* emitFiles(tree, files, options)
  for (const [archive, members] of pending.archives) yield* emitMembers(archive, members, options)
  yield links
}

/** Entries of the draft and unchanged directories above them, in archive order. */
function withParents(draft: LayerDraft, below: UnionView | undefined): [string, DraftEntry][] {
  const all = new Map(draft.entries)
  for (const path of draft.entries.keys()) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const above = path.slice(0, slash)
      if (all.has(above)) break
      const found = below?.stat(above)
      if (!found) continue
      const { mode, uid, gid, mtime, xattrs } = found
      all.set(above, { header: { type: 'directory', mode, uid, gid, size: 0, mtime, ...(xattrs && { xattrs }) } })
    }
  }
  return inArchiveOrder(all)
}

/** PERF: the order of an archive is that of code units with the slash lowest, unless a name is not ASCII. */
function inArchiveOrder(entries: ReadonlyMap<string, DraftEntry>): [string, DraftEntry][] {
  const keyed = [...entries].map(entry => ({ entry, key: entry[0].replaceAll('/', '\0') }))
  const isPlain = keyed.every(({ key }) => /^[\0-\x7f]*$/.test(key))
  if (!isPlain) return [...entries].sort(([a], [b]) => compareArchiveOrder(a, b))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ entry }) => entry)
}

function addPending({ trees, archives }: Pending, path: string, entry: DraftEntry): void {
  const content = entry.content!
  const file = { path, entry }
  if (content.kind === 'tree') push(inner(trees, content.tree), content.node, file)
  else push(inner(archives, content.archive), content.ordinal, file)
}

function inner<A, B>(maps: Map<A, Map<B, PendingFile[]>>, key: A): Map<B, PendingFile[]> {
  const known = maps.get(key) ?? new Map<B, PendingFile[]>()
  maps.set(key, known)
  return known
}

function push<B>(map: Map<B, PendingFile[]>, key: B, file: PendingFile): void {
  const known = map.get(key)
  if (known) known.push(file)
  else map.set(key, [file])
}

/** A file that is copied to several paths is read once for each: its content is not kept. */
async function* emitFiles(
  tree: SourceTree,
  files: ReadonlyMap<SourceNode, PendingFile[]>,
  options: AbortOptions,
): AsyncGenerator<readonly TarInput[], void, undefined> {
  for (let pass = 0; ; pass++) {
    const nodes = [...files].filter(([, targets]) => targets.length > pass).map(([node]) => node)
    if (nodes.length === 0) return
    for await (const batch of tree.open(nodes, options)) {
      yield batch.map(({ node, content }) => {
        const { path, entry } = files.get(node)![pass]!
        const { size: _, ...header } = entry.header
        // Content in memory has its own size.
        return { path, ...header, content, ...(content instanceof Uint8Array ? {} : { size: node.size }) }
      })
    }
  }
}

async function* emitMembers(
  archive: LocalArchive,
  members: ReadonlyMap<number, PendingFile[]>,
  options: AbortOptions,
): AsyncGenerator<readonly TarInput[], void, undefined> {
  for await (const { entry, ordinal } of archiveMembers(archive, options)) {
    // All names of a member share its inode, so there is one target.
    const target = members.get(ordinal)?.[0]
    if (target) yield [{ path: target.path, ...target.entry.header, size: entry.size, content: entry.content }]
  }
}
