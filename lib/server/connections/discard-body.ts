import type { IncomingMessage, ServerResponse } from 'node:http'

/** How much of a refused body is read. */
const LINGER_BYTES = 16 * 1024 * 1024
/** How long a client may take to read the answer and to stop sending. */
const LINGER_MS = 1000

/**
 * Reads and drops what a client still sends after it was refused, up to a size and for a while. `response` has its whole
 * answer, but is not ended.
 *
 * SAFETY: a connection that is closed with bytes unread is reset, and the reset can overtake the answer: the client would
 * report a broken connection in place of the refusal. A client that never stops is cut off.
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
