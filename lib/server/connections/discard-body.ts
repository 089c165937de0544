import type { IncomingMessage, ServerResponse } from 'node:http'

/** Bytes of a refused body that are read and dropped, at most. */
const LINGER_BYTES = 16 * 1024 * 1024
/** Time for the client to read the answer and stop sending. */
const LINGER_MS = 1000

/**
 * Reads and drops the rest of a refused request's body, up to a size and for a limited time. `response` is written
 * completely, but not ended.
 *
 * SAFETY: TCP resets a connection that is closed with unread bytes, and the reset can overtake the answer: the client
 * would report a broken connection instead of the refusal. Reading the rest first prevents that; the limits cut off a
 * client that never stops sending.
 */
export function discardBody(request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.flushHeaders()
  return new Promise(resolve => {
    let bytes = 0
    const end = () => {
      clearTimeout(timer)
      request.off('data', count)
      request.off('end', end)
      response.off('close', end)
      resolve()
    }
    const count = (chunk: Buffer) => {
      bytes += chunk.byteLength
      if (bytes > LINGER_BYTES) end()
    }
    const timer = setTimeout(end, LINGER_MS)
    request.on('data', count).on('end', end)
    response.on('close', end)
  })
}
