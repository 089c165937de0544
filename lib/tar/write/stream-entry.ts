import type { Pack } from 'tar-stream'
import { SizeMismatchError } from '../../errors/index.ts'
import { abortableItems } from '../../internal/abortable-items.ts'
import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import type { PlannedHeader } from './header-of.ts'

/** Maximum number of bytes copied at a time, so that at most this much of a content in memory exists twice. */
const COPIED_AT_ONCE = 512 * 1024

type Sink = ReturnType<Pack['entry']>

/** Writes a file through tar-stream; resolves when the pack has taken all of it. */
export async function streamEntry(
  pack: Pack,
  { path, header }: Pick<PlannedHeader, 'path' | 'header'>,
  content: ByteSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { linkname: _, ...fields } = header
  const { size } = fields
  let written = 0
  let sink!: Sink
  const done = new Promise<void>((resolve, reject) => {
    sink = pack.entry(fields, error => (error ? reject(error) : resolve()))
  })
  // The callback reports errors of the sink; without a listener the error event would also end the process.
  sink.on('error', () => {})
  // `done` is awaited below; until then a rejection would be unhandled.
  done.catch(() => undefined)
  for await (const chunk of abortableItems(chunksOf(content), signal)) {
    written += chunk.byteLength
    if (written > size) throw sizeMismatch(path, size, written)
    // The pack keeps chunks until they are read, and the source may reuse its buffer: the pack gets a copy.
    for (let at = 0; at < chunk.byteLength && !sink.destroying; at += COPIED_AT_ONCE) {
      if (!sink.write(Buffer.from(chunk.subarray(at, at + COPIED_AT_ONCE)))) await drained(sink)
    }
    if (sink.destroying) break
  }
  if (written !== size && !sink.destroying) throw sizeMismatch(path, size, written)
  sink.end(null)
  await done
}

/** Resolves when the sink accepts more bytes or has ended. */
function drained(sink: Sink): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      sink.off('drain', done)
      sink.off('close', done)
      resolve()
    }
    sink.on('drain', done)
    sink.on('close', done)
  })
}

/** Creates the error for content that is longer or shorter than its entry's size. */
export function sizeMismatch(path: string, expected: number, actual: number): SizeMismatchError {
  return new SizeMismatchError({ expected, actual, what: `content of ${JSON.stringify(path)}` })
}
