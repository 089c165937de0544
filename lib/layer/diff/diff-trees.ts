import { type Digest, digestOf, type HasherEngine } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { compareHeaders, isMetadataOnly } from './compare-headers.ts'
import { directoryTree } from './directory-tree.ts'
import type { Tree, TreeEntry } from './tree.ts'
import type { ChangedField, ChangedPath, DiffPath, TreeDiff } from './tree-diff.ts'
import { type Inode, inodesOf, type NamedInode } from './tree-inodes.ts'

/** Options of {@link diffTrees}. */
export interface DiffTreesOptions extends AbortOptions {
  /** Fields that are not compared, e.g. `['mtime']`. @defaultValue `[]` */
  readonly ignore?: readonly ChangedField[] | undefined
  /** Hash engine for files on disk. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/** A name of the upper tree with the result of its comparison. */
interface Verdict extends NamedInode {
  /** Inode of the lower tree under that name. */
  readonly lower: Inode | undefined
  fields: ChangedField[]
}

/**
 * Compares two trees: directories, or views of images. Files are compared by content, so an edit that keeps size and
 * time is found. Content is hashed only if the sizes are equal and a tree does not know the digest. The roots are not
 * compared. Memory grows with the number of paths.
 *
 * If one name of a file with several names changed, the result contains all of its names, so that a layer made of the
 * result holds the file with all names.
 *
 * @example
 * ```ts
 * const { added, modified, deleted } = await diffTrees('before', 'after')
 * ```
 *
 * @param lower - A directory's path, or a tree.
 * @param upper - The same.
 * @throws as {@link directoryTree}; errors of the trees unchanged.
 */
export async function diffTrees(
  lower: string | Tree,
  upper: string | Tree,
  options: DiffTreesOptions = {},
): Promise<TreeDiff> {
  const below = typeof lower === 'string' ? directoryTree(lower, options) : lower
  const above = typeof upper === 'string' ? directoryTree(upper, options) : upper
  const withXattrs = (below.tellsXattrs ?? true) && (above.tellsXattrs ?? true)
  const known = new Map<string, Inode>()
  for await (const { path, inode } of inodesOf(below)) known.set(path, inode)
  const verdicts: Verdict[] = []
  const kinds = new Map<string, boolean>()
  for await (const { path, inode } of inodesOf(above)) {
    options.signal?.throwIfAborted()
    const found = known.get(path)
    const fields = found ? await fieldsOf([below, found.entry], [above, inode.entry], withXattrs, options) : []
    verdicts.push({ path, inode, lower: found, fields })
    kinds.set(path, inode.entry.type === 'directory')
  }
  keepNamesTogether(verdicts, options.ignore ?? [])
  return { ...sortVerdicts(verdicts), deleted: deletedFrom(known, kinds) }
}

/** An entry and its tree. */
type Place = readonly [tree: Tree, entry: TreeEntry]

async function fieldsOf(
  below: Place,
  above: Place,
  withXattrs: boolean,
  options: DiffTreesOptions,
): Promise<ChangedField[]> {
  const [lower, upper] = [below[1], above[1]]
  const fields = compareHeaders(lower, upper, withXattrs)
  const isFile = lower.type === 'file' && upper.type === 'file'
  if (isFile && !(await sameContent(below, above, options))) fields.unshift('content')
  return fields.filter(field => field === 'type' || !options.ignore?.includes(field))
}

async function sameContent(below: Place, above: Place, options: DiffTreesOptions): Promise<boolean> {
  const [lower, upper] = [below[1], above[1]]
  if (lower.size !== upper.size) return false
  if (lower.size === 0 || hasSameStored(lower, upper)) return true
  return (await contentDigest(below, options)) === (await contentDigest(above, options))
}

/** True if two sparse files have the same stored bytes at the same offsets. */
function hasSameStored(lower: TreeEntry, upper: TreeEntry): boolean {
  if (lower.storedDigest === undefined || lower.storedDigest !== upper.storedDigest) return false
  return JSON.stringify(lower.sparse) === JSON.stringify(upper.sparse)
}

async function contentDigest([tree, { path, digest, content }]: Place, options: DiffTreesOptions): Promise<Digest> {
  if (digest) return digest
  const { hasher } = options
  const opened = typeof content === 'function' ? await content() : (content ?? tree.read?.(path) ?? '')
  return digestOf(typeof opened === 'string' ? Buffer.from(opened) : opened, { hasher })
}

/**
 * A layer can state that names refer to one file only if it contains the file with all of its names. So either no name
 * of a file is in the difference, or all are. No name is in it only if the lower tree has the same names for one file,
 * and no other file of the upper tree took a name from it.
 */
function keepNamesTogether(verdicts: readonly Verdict[], ignore: readonly ChangedField[]): void {
  if (ignore.includes('links')) return
  const groups = new Map<Inode, Verdict[]>()
  for (const verdict of verdicts) {
    if (verdict.inode.entry.type === 'directory') continue
    const group = groups.get(verdict.inode)
    if (group) group.push(verdict)
    else groups.set(verdict.inode, [verdict])
  }
  const claimed = new Set<Inode>()
  for (const group of groups.values()) {
    const origin = group[0]!.lower
    const stays = origin && group.every(({ lower, fields }) => lower === origin && fields.length === 0)
    if (stays && !claimed.has(origin)) {
      claimed.add(origin)
      continue
    }
    for (const verdict of group) if (verdict.lower && verdict.fields.length === 0) verdict.fields = ['links']
  }
}

function sortVerdicts(verdicts: readonly Verdict[]): Omit<TreeDiff, 'deleted'> {
  const added: DiffPath[] = []
  const modified: ChangedPath[] = []
  const metadataOnly: ChangedPath[] = []
  for (const { path, inode, lower, fields } of verdicts) {
    const { type } = inode.entry
    if (!lower) added.push({ path, type })
    else if (fields.length > 0) (isMetadataOnly(fields) ? metadataOnly : modified).push({ path, type, fields })
  }
  return { added, modified, metadataOnly }
}

/** Paths that the upper tree lacks, except paths below a directory that is deleted or replaced. */
function deletedFrom(known: ReadonlyMap<string, Inode>, isDirectory: ReadonlyMap<string, boolean>): DiffPath[] {
  const deleted: DiffPath[] = []
  for (const [path, inode] of known) {
    const slash = path.lastIndexOf('/')
    const inDirectory = slash < 0 || isDirectory.get(path.slice(0, slash)) === true
    if (inDirectory && !isDirectory.has(path)) deleted.push({ path, type: inode.entry.type })
  }
  return deleted
}
