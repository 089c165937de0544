import { pathOf } from '../internal/path-of.ts'
import type { Store } from '../store/index.ts'
import type { ImageToWrite } from './write/archive-source.ts'
import { type WriteArchiveOptions, writeArchive } from './write-archive.ts'

/** Result of saving an archive. */
export interface SavedArchive {
  /** Size of the archive in bytes. */
  readonly bytes: number
}

/**
 * Writes images to a file. The file is created or replaced atomically, after an fsync; on any failure the previous file
 * stays unchanged. A pipe or a device is written to directly.
 *
 * @example
 * ```ts
 * const { bytes } = await saveArchive(store, ['app:1.0', 'node:22'], 'images.tar', { format: 'docker' })
 * ```
 *
 * @param file - A path, or a `file:` URL.
 * @throws the errors of {@link writeArchive}, and {@link StoreError} `ERR_STORE_IO` with the errno.
 */
export async function saveArchive(
  store: Store,
  images: string | readonly (string | ImageToWrite)[],
  file: string | URL,
  options: WriteArchiveOptions = {},
): Promise<SavedArchive> {
  const path = pathOf(file, 'path')
  const chunks = writeArchive(store, images, options)
  const { writeArchiveFile } = await import('./write/archive-target.ts')
  return { bytes: await writeArchiveFile(path, chunks) }
}
