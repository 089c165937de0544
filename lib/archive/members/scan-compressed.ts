import { decompress } from '../../compression/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { readTar } from '../../tar/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import type { ArchiveFile } from './archive-file.ts'
import type { ReadMemberOptions } from './member.ts'
import { blobDigest, MemberTable } from './member-table.ts'

/**
 * Scans a compressed archive on disk. The scan decompresses it, and each read of a member decompresses it again up to
 * the end of that member; no decompressed copy is kept.
 */
export async function scanCompressed(file: ArchiveFile, options: AbortOptions = {}): Promise<MemberTable> {
  const table = new MemberTable()
  for await (const { content: _, ...entry } of readTar(opened(file, options), options)) {
    const { path, size, offset } = entry
    if (entry.sparse) throw invalidArchive(`${JSON.stringify(path)} is a sparse file`)
    const read = (wanted: ReadMemberOptions = {}) => {
      const start = Math.min(wanted.offset ?? 0, size)
      return part(file, offset + start, Math.min(wanted.length ?? size, size - start), wanted)
    }
    table.add(entry, entry.type === 'file' ? { path, size, digest: blobDigest(path), read } : undefined)
  }
  return table
}

function opened(file: ArchiveFile, { signal }: AbortOptions): AsyncGenerator<Uint8Array, void, undefined> {
  return decompress(file.read(0, file.size, { signal }), { signal })
}

async function* part(
  file: ArchiveFile,
  start: number,
  length: number,
  options: AbortOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (length === 0) return
  let at = 0
  for await (const chunk of opened(file, options)) {
    const wanted = chunk.subarray(Math.max(0, start - at), Math.max(0, start + length - at))
    at += chunk.byteLength
    if (wanted.byteLength > 0) yield wanted
    if (at >= start + length) return
  }
}
