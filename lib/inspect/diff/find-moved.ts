import { type ChangedField, compareHeaders } from '../../layer/index.ts'
import type { ViewEntry } from '../../rootfs/index.ts'
import type { MovedFile } from './image-diff.ts'

/**
 * Pairs removed files with added files of the same content. Files of the same name are paired first, then others in
 * order; each file is in one pair only. Empty files are not paired: their content says nothing about where they are
 * from.
 */
export function findMoved(
  removed: readonly ViewEntry[],
  added: readonly ViewEntry[],
  ignore: readonly ChangedField[],
): MovedFile[] {
  const sources = new Map<string, ViewEntry[]>()
  for (const entry of removed) {
    const content = contentOf(entry)
    if (content !== undefined) sources.set(content, [...(sources.get(content) ?? []), entry])
  }
  const found = new Map<ViewEntry, ViewEntry>()
  for (const isWanted of [hasSameName, () => true]) {
    for (const entry of added.filter(one => !found.has(one))) {
      const all = sources.get(contentOf(entry) ?? '') ?? []
      const at = all.findIndex(source => isWanted(source, entry))
      if (at >= 0) found.set(entry, all.splice(at, 1)[0]!)
    }
  }
  return added.flatMap(entry => {
    const source = found.get(entry)
    if (!source) return []
    const { path, type, size, layer } = entry
    const fields = compareHeaders(source, entry, true).filter(field => !ignore.includes(field))
    return [{ path, type, size, layer, from: source.path, fields }]
  })
}

function contentOf({ type, size, digest, storedDigest, sparse }: ViewEntry): string | undefined {
  if (type !== 'file' || size === 0) return undefined
  return digest ?? (storedDigest && `${storedDigest} ${size} ${JSON.stringify(sparse)}`)
}

function hasSameName(one: ViewEntry, other: ViewEntry): boolean {
  return one.path.slice(one.path.lastIndexOf('/') + 1) === other.path.slice(other.path.lastIndexOf('/') + 1)
}
