import { encodeName } from '../../internal/name-bytes.ts'
import { type IndexedEntry, type LayerIndex, parseWhiteout } from '../../layer/index.ts'

/**
 * Returns the size of an unpacked layer in bytes, as Docker 28 counts it (`directory.Size` of moby): files with their
 * holes, each hard-linked file once, and symbolic links with the length of their target; directories, devices and
 * whiteouts count 0.
 */
export function unpackedSize({ entries, diffId }: Pick<LayerIndex, 'entries' | 'diffId'>): number {
  // The last of several entries with one path is unpacked.
  const last = new Map<string, IndexedEntry>()
  for (const entry of entries) if (!parseWhiteout(entry.path, diffId)) last.set(entry.path, entry)
  let bytes = 0
  for (const { type, size, linkname } of last.values()) {
    if (type === 'file') bytes += size
    else if (type === 'symlink') bytes += encodeName(linkname ?? '').byteLength
  }
  return bytes
}
