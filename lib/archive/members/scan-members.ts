import { sniffCompression } from '../../compression/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ArchiveFile } from './archive-file.ts'
import type { MemberTable } from './member-table.ts'
import { scanCompressed } from './scan-compressed.ts'
import { scanFile } from './scan-file.ts'

/** What an archive on disk holds, in whichever way it has to be found out. */
export async function scanMembers(file: ArchiveFile, options: AbortOptions): Promise<MemberTable> {
  return (await isPlain(file)) ? scanFile(file, options) : scanCompressed(file, options)
}

/** Whether an archive on disk can be read at any place. */
export async function isPlain(file: ArchiveFile): Promise<boolean> {
  const { type, content } = await sniffCompression(file.read(0, Math.min(file.size, 512)))
  await content.return()
  return type === 'none'
}
