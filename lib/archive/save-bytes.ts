/**
 * Writes bytes to a file, which is created or replaced atomically, or to a pipe or device, as `saveArchive` does.
 * Resolves to the number of bytes.
 *
 * @throws {@link StoreError} `ERR_STORE_IO` with the errno.
 * @internal
 */
export async function saveBytes(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const { writeArchiveFile } = await import('./write/archive-target.ts')
  return writeArchiveFile(path, chunks)
}
