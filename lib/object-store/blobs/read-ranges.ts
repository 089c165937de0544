/** Arguments of {@link readRanges}. */
export interface RangesToRead {
  readonly range: { readonly start: number; readonly end: number }
  /** Bytes of one request. */
  readonly partSize: number
  /** Requests at a time. */
  readonly concurrency: number
  /** Body of an answer that begins at the start of the range and has one part, if it was opened already. */
  readonly first: AsyncIterable<Uint8Array> | undefined
  /** Opens a part. */
  get(offset: number, length: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  readonly signal: AbortSignal | undefined
}

/**
 * Yields the bytes of a range in order. Of a range larger than one part the next parts are fetched while the caller
 * takes this one: at most `concurrency` parts are in memory.
 */
export async function* readRanges(ranges: RangesToRead): AsyncGenerator<Uint8Array, void, undefined> {
  const { range, partSize, concurrency, get } = ranges
  const stop = new AbortController()
  const signal = ranges.signal ? AbortSignal.any([stop.signal, ranges.signal]) : stop.signal
  const ahead: Promise<Uint8Array[]>[] = []
  let next = range.start
  const open = () => {
    const [offset, length] = [next, Math.min(partSize, range.end - next)]
    next += length
    return get(offset, length, signal)
  }
  const fetchAhead = () => {
    while (next < range.end && ahead.length < concurrency - 1) {
      const part = open().then(collect)
      // A failure is reported when the caller gets there; a caller that leaves before does not ask.
      part.catch(() => undefined)
      ahead.push(part)
    }
  }
  try {
    // The first part streams: the caller gets its first bytes at once.
    const streamed = ranges.first ?? (next < range.end ? await open() : [])
    if (ranges.first) next = Math.min(range.end, range.start + partSize)
    fetchAhead()
    for await (const chunk of streamed) {
      signal.throwIfAborted()
      yield chunk
    }
    for (let part = ahead[0]; part || next < range.end; part = ahead[0]) {
      if (!part) {
        yield* await open()
        continue
      }
      const chunks = await part
      ahead.shift()
      fetchAhead()
      for (const chunk of chunks) {
        signal.throwIfAborted()
        yield chunk
      }
    }
  } finally {
    stop.abort()
    await Promise.allSettled(ahead)
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return chunks
}
