import { posix } from 'node:path'
import { decompress } from '../../compression/index.ts'
import { BuildError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import type { UnionView } from '../../rootfs/index.ts'
import { readTar, type TarEntry } from '../../tar/index.ts'
import { isTar } from '../context/is-tar.ts'
import { createViewTree } from '../context/view-tree.ts'
import type { LocalArchive } from './draft-content.ts'
import { conflict, type DraftEntry, type LayerDraft } from './layer-draft.ts'
import { type PlacingOptions, resolveDestination } from './place-match.ts'

/**
 * True if a file is an archive that ADD unpacks: a tar archive with at least one member, plain or compressed with gzip
 * or zstd. The name does not matter.
 *
 * @throws {@link BuildError} `ERR_BUILD_UNSUPPORTED` for a file compressed with bzip2 or xz.
 */
export async function isArchive(archive: LocalArchive, options: AbortOptions): Promise<boolean> {
  if (archive.node.size === 0) return false
  const found = await isTar(openArchive(archive, options), options)
  if (found === 'bzip2' || found === 'xz') throw unsupported(archive, found)
  return found
}

/** Options of {@link placeArchive}. */
export interface PlaceArchiveOptions extends PlacingOptions, AbortOptions {
  readonly below: UnionView | undefined
}

/**
 * Places the members of an archive. The destination is the root for them: `..` and links stay inside it. Members keep
 * owners, modes and times, except that `--chown` sets all owners.
 *
 * @throws {@link BuildError} `ERR_BUILD_COPY_CONFLICT`; {@link FormatError} `ERR_INVALID_TAR`,
 * `ERR_INVALID_COMPRESSION`.
 */
export async function placeArchive(
  draft: LayerDraft,
  archive: LocalArchive,
  options: PlaceArchiveOptions,
): Promise<void> {
  // Here `--chmod` has no effect on created directories either.
  const created = { ...options.created, mode: 0o755 }
  const root = resolveDestination(draft, `${options.destination}/`, created)
  draft.makeDirectories(root, created)
  for await (const { entry, ordinal } of archiveMembers(archive, options)) {
    if (entry.path !== '.') placeMember(draft, { entry, ordinal, archive, root }, options)
  }
}

/** Yields the members of an archive with their numbers. Read the content before you ask for the next member. */
export async function* archiveMembers(
  archive: LocalArchive,
  options: AbortOptions,
): AsyncGenerator<{ readonly entry: TarEntry; readonly ordinal: number }, void, undefined> {
  let ordinal = 0
  const { signal } = options
  for await (const entry of readTar(decompress(openArchive(archive, options), { signal }), { signal })) {
    yield { entry, ordinal: ordinal++ }
  }
}

interface Member {
  readonly entry: TarEntry
  readonly ordinal: number
  readonly archive: LocalArchive
  readonly root: string
}

function placeMember(draft: LayerDraft, member: Member, options: PlaceArchiveOptions): void {
  const { entry, root } = member
  const above = draft.resolve(posix.dirname(entry.path), { root }).path
  draft.makeDirectories(above, { ...options.created, mode: 0o755 })
  const name = posix.basename(entry.path)
  const path = above === '.' ? name : `${above}/${name}`
  const isLink = entry.type === 'hardlink'
  const placed = isLink ? linkedEntry(draft, member, options.below) : memberEntry(member, options)
  draft.replace({ ...placed, header: { ...placed.header, path } })
}

function memberEntry({ entry, ordinal, archive }: Member, { owner }: PlaceArchiveOptions): DraftEntry {
  const { content: _, offset: __, sparse: ___, ...header } = entry
  return {
    header: { ...header, ...owner },
    ...(entry.type === 'file' && {
      content: { kind: 'member', archive, ordinal } as const,
      inode: `${archive.node.path} member ${ordinal}`,
    }),
  }
}

/** A hard link is one more name of what is at its target now: a member before it, or a file of the layers below. */
function linkedEntry(draft: LayerDraft, { entry, root }: Member, below: UnionView | undefined): DraftEntry {
  const target = draft.resolve(entry.linkname ?? '', { root, follow: false }).path
  const placed = draft.get(target)
  if (placed && placed.header.type !== 'directory') return placed
  const node = placed ? undefined : draft.stat(target)
  if (!node || node.type === 'directory') {
    throw conflict(target, `hard link ${JSON.stringify(entry.path.slice(0, 512))} leads to nothing that is a file`)
  }
  const tree = createViewTree(below!, 'the layers below')
  const { digest: _, inode, ...header } = tree.stat(target)!
  return {
    header,
    ...(node.type === 'file' && { content: { kind: 'tree', tree, node: tree.stat(target)! }, inode }),
  }
}

/** Opens the bytes of an archive, anew with each call. */
async function* openArchive(
  { tree, node }: LocalArchive,
  options: AbortOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const [file] of tree.open([node], options)) {
    const opened = typeof file!.content === 'function' ? await file!.content() : file!.content
    const source: ByteSource = typeof opened === 'string' ? Buffer.from(opened) : opened
    if (source instanceof Uint8Array) yield source
    else yield* source
  }
}

function unsupported({ node, tree }: LocalArchive, type: string): BuildError {
  const what = `${JSON.stringify(node.path.slice(0, 512))} in ${tree.name} is compressed with ${type}`
  const advice = 'recompress it with gzip or zstd, or use COPY or --unpack=false to copy it as a file'
  return new BuildError('ERR_BUILD_UNSUPPORTED', `${what}, which is not unpacked here; ${advice}`, { path: node.path })
}
