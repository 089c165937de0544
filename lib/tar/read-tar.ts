import type { Extract } from 'tar-stream'
import type { AbortOptions } from '../internal/abort.ts'
import { abortableItems } from '../internal/abortable-items.ts'
import { type ByteSource, chunksOf } from '../internal/byte-source.ts'
import { HeaderScanner } from './read/header-scanner.ts'
import { invalid } from './read/parse-header.ts'
import type { TarEntry } from './tar-entry.ts'

/** Bytes that are looked at before the extractor must have taken them; bounds the headers waiting. */
const STEP = 256 * 1024

/**
 * Reads a tar archive entry by entry, strictly: whatever two readers could understand differently is refused.
 *
 * Understood are ustar, PAX and GNU long names, files, directories, links, devices and fifos. PAX records win over the
 * header; global ones have no effect. Content is to be read before the next entry is asked for. Bytes after the end of the
 * archive are read and ignored, so that a digest over the source covers them; the loop ends when the source has. Memory
 * does not grow with the archive. Leaving the loop early frees everything.
 *
 * @throws {@link FormatError} `ERR_INVALID_TAR` with the byte of the fault: truncation, a wrong checksum, a field out of
 * range, `..` in a path, sparse or unknown entries, content where none may be.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` for a path over 4,096 bytes or an extended header over 1 MiB.
 * @see {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html | POSIX: ustar and pax}
 */
export async function* readTar(
  source: ByteSource,
  options: AbortOptions = {},
): AsyncGenerator<TarEntry, void, undefined> {
  options.signal?.throwIfAborted()
  const { extract: createExtract } = await import('tar-stream')
  // Names are taken from the scanner; of one byte for each character, the extractor cannot trip over them.
  const extract = createExtract({ filenameEncoding: 'latin1', allowUnknownFormat: true } as object)
  // A failure of the extractor reaches the loop below; without a listener it would end the process as well.
  extract.on('error', () => {})
  const scanner = new HeaderScanner()
  const state: { failure?: { error: unknown } } = {}
  const feeding = feed(extract, scanner, source, options.signal).catch((error: unknown) => {
    state.failure = { error }
    // Without an error of its own the extractor would leave whoever waits for an entry waiting.
    extract.destroy(new Error('stopped'))
  })
  try {
    for await (const body of extract) {
      const header = scanner.headers.shift()!
      if (header.size === 0) {
        yield { ...header, content: nothing() }
        continue
      }
      const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
      yield { ...header, content: contentOf(chunks, state) }
      while (!(await chunks.next()).done);
    }
    await feeding
  } catch (cause) {
    throw state.failure ? state.failure.error : invalid(`not a tar archive: ${(cause as Error).message}`, 0, cause)
  } finally {
    extract.destroy()
    await feeding
  }
  if (state.failure) throw state.failure.error
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

/** Not the iteration of the body itself: leaving that early would end the whole extractor. */
async function* contentOf(
  chunks: AsyncIterator<Uint8Array>,
  state: { failure?: { error: unknown } },
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let step = await chunks.next(); !step.done; step = await chunks.next()) yield step.value
  } catch (error) {
    throw state.failure ? state.failure.error : error
  }
}

async function feed(
  extract: Extract,
  scanner: HeaderScanner,
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const chunk of abortableItems(chunksOf(source), signal)) {
    for (let at = 0; at < chunk.byteLength; at += STEP) {
      for (const piece of scanner.scan(chunk.subarray(at, at + STEP))) {
        if (extract.destroying) return
        // The source may reuse its buffer, the extractor keeps it until the content is read.
        if (!extract.write(Buffer.from(piece))) await drained(extract)
      }
    }
    if (extract.destroying) return
  }
  scanner.end()
  extract.end(null)
}

function drained(extract: Extract): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      extract.off('drain', done)
      extract.off('close', done)
      resolve()
    }
    extract.on('drain', done)
    extract.on('close', done)
  })
}
