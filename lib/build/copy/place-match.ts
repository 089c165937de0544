import type { TarHeader } from '../../tar/index.ts'
import type { SourceNode } from '../context/source-tree.ts'
import { type CreatedDirectory, conflict, type DraftEntry, type LayerDraft } from './layer-draft.ts'
import type { ModeChange } from './parse-mode.ts'
import { pathBelow, type SourceMatch } from './source-match.ts'

/** Options for placing copied files. */
export interface PlacingOptions {
  /** Absolute path; with a trailing `/` it is a directory. */
  readonly destination: string
  /** Owner of everything, if `--chown` is given. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  readonly mode: ModeChange | undefined
  readonly created: CreatedDirectory
  /** True if more than one file is copied. */
  readonly severalFiles: boolean
}

/**
 * Places one file or directory that a source names.
 *
 * @throws {@link BuildError} `ERR_BUILD_COPY_CONFLICT`.
 */
export function placeMatch(draft: LayerDraft, found: SourceMatch, options: PlacingOptions): void {
  const { destination, created } = options
  const target = resolveDestination(draft, destination, created)
  if (found.node.type === 'directory') placeDirectory(draft, found, { ...options, target })
  else placeFile(draft, found, { ...options, target })
}

/** Resolves the destination, links followed also at the end, and makes the directories that lead to it. */
export function resolveDestination(draft: LayerDraft, destination: string, created: CreatedDirectory): string {
  const above = destination.endsWith('/') ? destination : destination.slice(0, destination.lastIndexOf('/'))
  draft.makeDirectories(draft.resolve(above).path, created)
  return draft.resolve(destination).path
}

interface TargetOptions extends PlacingOptions {
  /** Real path of the destination. */
  readonly target: string
}

function placeDirectory(draft: LayerDraft, found: SourceMatch, options: TargetOptions): void {
  placeTop(draft, found, options)
  for (const entry of contentOf(found, options)) draft.place(entry)
}

/** Places the directory that takes the content of a copied one. */
function placeTop(draft: LayerDraft, found: SourceMatch, { target, created }: TargetOptions): void {
  const existing = draft.stat(target)
  if (existing && existing.type !== 'directory')
    throw conflict(target, `cannot copy a directory onto a ${existing.type}`)
  draft.makeDirectories(target, created)
  touch(draft, target, found.node.mtime)
}

/** Yields an entry for each node of a copied directory. */
function* contentOf(found: SourceMatch, options: TargetOptions): Generator<DraftEntry> {
  const pathOf = pathsBelow(found, options.target)
  for (const node of found.content) yield entryOf(found, node, pathOf(node), options)
}

/** Returns a function that gives the path of a node of a copied directory below the target. */
function pathsBelow(found: SourceMatch, target: string): (node: SourceNode) => string {
  // PERF: where a path does not change, the same string is kept, and its hash.
  if (target === found.node.path) return ({ path }) => path
  const prefix = target === '.' ? '' : `${target}/`
  return node => prefix + pathBelow(found.node, node)
}

/** Paths and headers of the content of a directory that is copied to where nothing is. */
export interface EmptyTop {
  pathOf(node: SourceNode): string
  /** Makes the header of the entry of a node. */
  headerOf(node: SourceNode): TarHeader
}

/**
 * Places a copied directory without its content, and returns what the entries of the content are made with, if the
 * target has nothing in it; `undefined` if {@link placeMatch} must place the match.
 *
 * PERF: no path of the content can meet another one, so a draft of tens of thousands of entries is not needed.
 */
export function placeEmptyTop(draft: LayerDraft, found: SourceMatch, options: PlacingOptions): EmptyTop | undefined {
  if (found.node.type !== 'directory') return undefined
  const target = resolveDestination(draft, options.destination, options.created)
  placeTop(draft, found, { ...options, target })
  if (!draft.isEmpty(target)) return undefined
  const pathOf = pathsBelow(found, target)
  return { pathOf, headerOf: node => copiedHeader(found, node, pathOf(node), options) }
}

/** The directory itself keeps its owner and mode, and gets the time of the source. */
function touch(draft: LayerDraft, target: string, mtime: number): void {
  const node = target === '.' ? undefined : draft.stat(target)
  if (!node) return
  draft.place({ header: { ...headerOf(node, target), mtime } })
}

function placeFile(draft: LayerDraft, found: SourceMatch, options: TargetOptions): void {
  const { target, created, severalFiles } = options
  const existing = draft.stat(target)
  const isInside = existing?.type === 'directory'
  const path = isInside ? (target === '.' ? found.name : `${target}/${found.name}`) : target
  if (!isInside && severalFiles) {
    throw conflict(target, 'several files cannot be copied onto one path; write a / behind the destination')
  }
  const slash = path.lastIndexOf('/')
  if (slash > 0) draft.makeDirectories(path.slice(0, slash), created)
  draft.place(entryOf(found, found.node, path, options))
}

function entryOf(found: SourceMatch, node: SourceNode, path: string, options: PlacingOptions): DraftEntry {
  const { tree, source, match } = found
  const header = copiedHeader(found, node, path, options)
  if (node.type !== 'file') return { header }
  const content = { kind: 'tree', tree, node } as const
  // Hard links are kept within one source.
  return node.inode === undefined ? { header, content } : { header, content, inode: `${source}.${match} ${node.inode}` }
}

function copiedHeader(
  { tree }: SourceMatch,
  node: SourceNode,
  path: string,
  { owner, mode }: PlacingOptions,
): TarHeader {
  const isLink = node.type === 'symlink'
  const { uid, gid } = owner ?? (tree.keepsOwners ? node : ROOT)
  const bits = mode && !isLink ? mode.apply(node.mode, node.type === 'directory') : node.mode
  return headerOf(node, path, { uid, gid, mode: bits })
}

const ROOT = { uid: 0, gid: 0 } as const

/** The members of a node that go into a layer, under another path. */
function headerOf(
  node: SourceNode,
  path: string,
  { mode, uid, gid }: Pick<TarHeader, 'mode' | 'uid' | 'gid'> = node,
): TarHeader {
  const { type, size, mtime, linkname, devMajor, devMinor, xattrs } = node
  // PERF: nearly all entries are plain files and directories.
  const plain = { path, type, mode, uid, gid, size, mtime }
  if (linkname === undefined && devMajor === undefined && devMinor === undefined && !xattrs) return plain
  return {
    ...plain,
    ...(linkname !== undefined && { linkname }),
    ...(devMajor !== undefined && { devMajor }),
    ...(devMinor !== undefined && { devMinor }),
    ...(xattrs && { xattrs }),
  }
}
