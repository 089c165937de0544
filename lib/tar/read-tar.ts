import type { AbortOptions } from '../internal/abort.ts'
import { abortableItems } from '../internal/abortable-items.ts'
import { type ByteSource, chunksOf } from '../internal/byte-source.ts'
import { EntryStream } from './read/entry-stream.ts'
import type { TarEntry } from './tar-entry.ts'
import type { TarLimits } from './tar-limits.ts'

/** How to read an archive, and how much of it at most. */
export interface ReadTarOptions extends AbortOptions, TarLimits {}

/**
 * Reads a tar archive entry by entry, strictly: whatever two readers could understand differently is refused.
 *
 * Understood are ustar, PAX, GNU long names and numbers, archives from before ustar; files, directories, links, devices and
 * FIFOs; sparse files of the PAX formats, whose holes come as zeros. PAX records win over the header and count for the next
 * entry only; global ones have no effect. Content is to be read before the next entry is asked for; what is left unread is
 * passed over. Pieces of content are views of the chunks of the source: of one that uses its buffer again, copy what is to be
 * kept. Bytes after the end of the archive are read and ignored, so that a digest over the source covers them; the loop
 * ends when the source has. Memory does not grow with the archive. The source is asked for more only when its last chunk
 * has been used up. Leaving the loop early stops it.
 *
 * @throws {@link FormatError} `ERR_INVALID_TAR` with the byte of the fault: truncation, a wrong checksum, a field out of
 * range, `..` in a path, sparse files of the old GNU format, unknown entries, content where none may be.
 * `ERR_INVALID_ARGUMENT` from the content of an entry that has been passed over.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` for what is over one of the limits.
 * @see {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html | POSIX: ustar and pax}
 */
export async function* readTar(
  source: ByteSource,
  options: ReadTarOptions = {},
): AsyncGenerator<TarEntry, void, undefined> {
  const { signal } = options
  signal?.throwIfAborted()
  const stream = new EntryStream(abortableItems(chunksOf(source), signal), options)
  try {
    for (let entry = await stream.next(); entry; entry = await stream.next()) yield entry
  } finally {
    await stream.close()
  }
}
