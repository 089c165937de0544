import { randomBytes } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory } from '../../internal/atomic-file.ts'
import { withFsyncLimit } from '../../internal/concurrency/fsync-limit.ts'
import { isErrno } from '../../internal/errno.ts'
import { onArchive } from '../members/archive-file.ts'

/**
 * Writes an archive to a file, which it creates or replaces atomically, or to a pipe or device. Resolves to the number
 * of bytes.
 */
export async function writeArchiveFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const target = await targetOf(path)
  if (target.isSpecial) return writeTo(path, () => open(path, 'w'), chunks, false)
  const temporary = `${target.path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`
  try {
    const bytes = await writeTo(path, () => open(temporary, 'wx', 0o644), chunks, true)
    await onArchive('write', path, async () => {
      await rename(temporary, target.path)
      await syncDirectory(dirname(target.path))
    })
    return bytes
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Resolves a symbolic link: the link stays, and the file that it leads to is replaced. */
async function targetOf(path: string): Promise<{ path: string; isSpecial: boolean }> {
  return onArchive('write', path, async () => {
    try {
      const real = await realpath(path)
      const stats = await stat(real)
      return { path: real, isSpecial: !stats.isFile() }
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return { path, isSpecial: false }
      throw error
    }
  })
}

/** Opens the file when the first bytes are ready: images that cannot be written leave no file. */
async function writeTo(
  path: string,
  openFile: () => Promise<FileHandle>,
  chunks: AsyncIterable<Uint8Array>,
  durable: boolean,
): Promise<number> {
  let file: FileHandle | undefined
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      file ??= await onArchive('write', path, openFile)
      await onArchive('write', path, () => writeWhole(file!, chunk))
      bytes += chunk.byteLength
    }
    if (durable) await onArchive('write', path, () => withFsyncLimit(() => file!.sync()))
  } finally {
    await file?.close()
  }
  return bytes
}

async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) {
    done += (await file.write(chunk, done, chunk.byteLength - done)).bytesWritten
  }
}
