import type { HasherEngine } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type ChangedField, diffTrees } from '../../layer/index.ts'
import type { UnionView, ViewEntry } from '../../rootfs/index.ts'
import { findMoved } from './find-moved.ts'
import type { ChangedFile, DiffedFile, FilesDiff } from './image-diff.ts'

/** Options of {@link diffFiles}. */
export interface DiffFilesOptions extends AbortOptions {
  readonly hasher?: HasherEngine | undefined
  readonly ignore?: readonly ChangedField[] | undefined
}

/** Fields that make a change more than one of metadata. */
const CONTENT: readonly ChangedField[] = ['type', 'content', 'linkname', 'device']

/** Compares the root filesystems of two views. */
export async function diffFiles(before: UnionView, after: UnionView, options: DiffFilesOptions): Promise<FilesDiff> {
  const trees = await diffTrees(before, after, options)
  const [lower, upper] = [byPath(before), byPath(after)]
  const onlyIn = (one: Entries, other: Entries) =>
    [...one].filter(([path]) => !other.has(path)).map(([, entry]) => entry)
  const moves = findMoved(onlyIn(lower, upper), onlyIn(upper, lower), options.ignore ?? [])
  const [from, to] = [new Set(moves.map(move => move.from)), new Set(moves.map(move => move.path))]
  const changes = [...trees.modified, ...trees.metadataOnly].map(
    ({ path, fields }): ChangedFile => ({ ...asFile(upper.get(path)!), fields, sizeBefore: lower.get(path)!.size }),
  )
  const isContent = ({ fields }: ChangedFile) => fields.some(field => CONTENT.includes(field))
  const inOrder = new Map([...upper.keys()].map((path, i) => [path, i]))
  const sorted = (files: ChangedFile[]) => files.sort((a, b) => inOrder.get(a.path)! - inOrder.get(b.path)!)
  return {
    added: onlyIn(upper, lower).flatMap(entry => (to.has(entry.path) ? [] : [asFile(entry)])),
    removed: onlyIn(lower, upper).flatMap(entry => (from.has(entry.path) ? [] : [asFile(entry)])),
    changed: sorted(changes.filter(isContent)),
    metadataOnly: sorted(changes.filter(change => !isContent(change))),
    moved: moves,
    bytesBefore: bytesOf(before),
    bytesAfter: bytesOf(after),
  }
}

type Entries = ReadonlyMap<string, ViewEntry>

/** The paths of a view in the order of a walk, hard links as the files that they are. */
function byPath(view: UnionView): Entries {
  const entries = new Map<string, ViewEntry>()
  for (const entry of view.walk()) {
    const file = entry.type === 'hardlink' ? entries.get(entry.linkname!) : undefined
    entries.set(entry.path, file ? { ...file, path: entry.path } : entry)
  }
  return entries
}

/** @internal */
export function asFile({ path, type, size, layer }: ViewEntry): DiffedFile {
  return { path, type, size, layer }
}

function bytesOf(view: UnionView): number {
  let bytes = 0
  for (const { size } of view.walk()) bytes += size
  return bytes
}
