import type { Pack } from 'tar-stream'
import { SizeMismatchError } from '../../errors/index.ts'
import { abortableItems } from '../../internal/abortable-items.ts'
import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import type { PlannedHeader } from './header-of.ts'

/** However long a content is that is all there, no more of it is in memory twice. */
const COPIED_AT_ONCE = 512 * 1024

type Sink = ReturnType<Pack['entry']>

/** Writes a file by tar-stream; resolves when the pack has taken all of it. */
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
  // An error of a sink arrives through the callback; without a listener it would end the process as well.
  sink.on('error', () => {})
  // Awaited below; until then a failure has nobody to hear it.
  done.catch(() => undefined)
  for await (const chunk of abortableItems(chunksOf(content), signal)) {
    written += chunk.byteLength
    if (written > size) throw sizeMismatch(path, size, written)
    // The source may use its buffer again, the pack keeps what it has until it is read: so it has a copy.
    for (let at = 0; at < chunk.byteLength && !sink.destroying; at += COPIED_AT_ONCE) {
      if (!sink.write(Buffer.from(chunk.subarray(at, at + COPIED_AT_ONCE)))) await drained(sink)
    }
    if (sink.destroying) break
  }
  if (written !== size && !sink.destroying) throw sizeMismatch(path, size, written)
  sink.end(null)
  await done
}

/** Resolves when the sink takes more, or never will. */
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

/** For content that is not as long as its entry says. */
export function sizeMismatch(path: string, expected: number, actual: number): SizeMismatchError {
  return new SizeMismatchError({ expected, actual, what: `content of ${JSON.stringify(path)}` })
}
