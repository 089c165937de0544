import { sniffCompression } from '../../compression/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ArchiveFile } from './archive-file.ts'
import type { MemberTable } from './member-table.ts'
import { scanCompressed } from './scan-compressed.ts'
import { scanFile } from './scan-file.ts'

/** Scans an archive on disk, plain or compressed. */
export async function scanMembers(file: ArchiveFile, options: AbortOptions): Promise<MemberTable> {
  return (await isPlain(file)) ? scanFile(file, options) : scanCompressed(file, options)
}

/** True if the archive is a plain tar, which can be read at any offset. */
export async function isPlain(file: ArchiveFile): Promise<boolean> {
  const { type, content } = await sniffCompression(file.read(0, Math.min(file.size, 512)))
  await content.return()
  return type === 'none'
}
