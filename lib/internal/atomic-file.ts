import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { withFsyncLimit } from './concurrency/fsync-limit.ts'
import { READ_FLAGS } from './record-file.ts'
import { withDescriptor } from './with-descriptor.ts'

/**
 * Replaces a file as a whole: readers see the old bytes or the new bytes, never a mix, and after the call the new bytes
 * survive a power cut. The temporary file is created in the same directory and removed if a step fails.
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array,
  options: { durable?: boolean; mode?: number } = {},
): Promise<void> {
  const durable = options.durable ?? true
  const temporary = `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await withDescriptor(() => open(temporary, 'wx', options.mode ?? 0o644))
    try {
      await file.writeFile(data)
      if (durable) await withFsyncLimit(() => file.sync())
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  if (durable) await syncDirectory(dirname(path))
}

/** Makes the names inside a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  await sync(path, 'r')
}

/** Makes the bytes of a file survive a power cut that another process may have left unsynced. Follows no link. */
export async function syncFile(path: string): Promise<void> {
  await sync(path, READ_FLAGS)
}

async function sync(path: string, flags: string | number): Promise<void> {
  const file = await withDescriptor(() => open(path, flags))
  try {
    await withFsyncLimit(() => file.sync())
  } finally {
    await file.close()
  }
}
