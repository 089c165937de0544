import type { Pack } from 'tar-stream'
import { FormatError, SizeMismatchError } from '../../errors/index.ts'
import { abortableItems } from '../../internal/abortable-items.ts'
import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import type { TarInput } from '../tar-entry.ts'
import { headerOf, type PlannedHeader } from './header-of.ts'

type Sink = ReturnType<Pack['entry']>

/** Writes one entry; resolves when the pack has taken all of it. */
export async function writeEntry(pack: Pack, input: TarInput, signal: AbortSignal | undefined): Promise<void> {
  const content = await openContent(input)
  if (content instanceof Uint8Array) {
    const planned = headerOf(input, content.byteLength)
    const { size = content.byteLength } = input
    if (size !== content.byteLength) throw mismatch(planned, size, content.byteLength)
    return addEntry(pack, planned, content)
  }
  if (!Number.isSafeInteger(input.size) || input.size! < 0) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `tar entry ${JSON.stringify(input.path)}: a stream needs its size`)
  }
  await streamEntry(pack, headerOf(input, input.size!), content, signal)
}

async function openContent({ type, path, size, content }: TarInput): Promise<ByteSource> {
  const opened = typeof content === 'function' ? await content() : (content ?? '')
  const source = typeof opened === 'string' ? Buffer.from(opened) : opened
  if (type === 'file') return source
  // An entry as it was read has content of no bytes, whatever its type.
  let bytes = size ?? 0
  for await (const chunk of chunksOf(source)) bytes += chunk.byteLength
  if (bytes === 0) return new Uint8Array()
  throw new FormatError('ERR_INVALID_ARGUMENT', `tar entry ${JSON.stringify(path)}: only a file has content`)
}

function addEntry(pack: Pack, { header, pax }: PlannedHeader, content: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (pax) pack.push(pax)
    const sink = pack.entry(header, content, error => (error ? reject(error) : resolve()))
    ignoreError(sink)
  })
}

async function streamEntry(
  pack: Pack,
  planned: PlannedHeader,
  content: ByteSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  const size = planned.header.size!
  if (planned.pax) pack.push(planned.pax)
  let written = 0
  let sink!: Sink
  const done = new Promise<void>((resolve, reject) => {
    sink = pack.entry(planned.header, error => (error ? reject(error) : resolve()))
  })
  ignoreError(sink)
  // Awaited below; until then a failure has nobody to hear it.
  done.catch(() => undefined)
  for await (const chunk of abortableItems(chunksOf(content), signal)) {
    written += chunk.byteLength
    if (written > size) throw mismatch(planned, size, written)
    // The source may reuse its buffer, the pack keeps it until it is read.
    if (!sink.write(Buffer.from(chunk))) await drained(sink)
    if (sink.destroying) break
  }
  if (written !== size && !sink.destroying) throw mismatch(planned, size, written)
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

/** An error of a sink arrives through the callback of its entry; without a listener it would end the process as well. */
function ignoreError(sink: Sink): void {
  sink.on('error', () => {})
}

function mismatch({ path }: PlannedHeader, expected: number, actual: number): SizeMismatchError {
  return new SizeMismatchError({ expected, actual, what: `content of ${JSON.stringify(path)}` })
}
