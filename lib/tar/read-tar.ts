import type { AbortOptions } from '../internal/abort.ts'
import { abortableItems } from '../internal/abortable-items.ts'
import { type ByteSource, chunksOf, keepFault } from '../internal/byte-source.ts'
import { EntryStream } from './read/entry-stream.ts'
import type { TarEntry } from './tar-entry.ts'
import type { TarLimits } from './tar-limits.ts'

/** Options of {@link readTar}: an abort signal and limits. */
export interface ReadTarOptions extends AbortOptions, TarLimits {}

/**
 * Reads a tar archive entry by entry, strictly: it refuses everything that two readers could understand differently.
 *
 * Supported formats: ustar, PAX, GNU long names and numbers, and archives older than ustar. Supported entries: files,
 * directories, links, devices, FIFOs, and sparse files of the PAX formats, whose holes are read as zeros. PAX records
 * override the header and apply to the next entry only; global PAX records are ignored.
 *
 * Read the content of an entry before you ask for the next entry; unread content is skipped. Pieces of content are
 * views of the chunks of the source: if the source reuses its buffer, copy the bytes that you keep. Bytes after the end
 * of the archive are read and ignored, so that a digest over the source covers them; the loop ends when the source
 * ends. Memory does not grow with the archive. The source is asked for a chunk only after the previous chunk is used
 * up. Leaving the loop early stops the source.
 *
 * @example
 * ```ts
 * for await (const entry of readTar(createReadStream('app.tar'))) {
 *   if (entry.type === 'file') console.log(entry.path, await digestOf(entry.content))
 * }
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_TAR` with the byte offset of the fault: truncation, a wrong checksum, a
 * field out of range, `..` in a path, sparse files of the old GNU format, unknown entry types, content on an entry that
 * cannot have any. `ERR_INVALID_ARGUMENT` from the content of an entry that was skipped.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` if the archive exceeds a limit.
 * @see {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html | POSIX: ustar and pax}
 */
export function readTar(source: ByteSource, options: ReadTarOptions = {}): AsyncGenerator<TarEntry, void, undefined> {
  keepFault(source)
  return entriesOf(source, options)
}

async function* entriesOf(source: ByteSource, options: ReadTarOptions = {}): AsyncGenerator<TarEntry, void, undefined> {
  const { signal } = options
  signal?.throwIfAborted()
  const stream = new EntryStream(abortableItems(chunksOf(source), signal), options)
  try {
    for (let entry = await stream.next(); entry; entry = await stream.next()) yield entry
  } finally {
    await stream.close()
  }
}
