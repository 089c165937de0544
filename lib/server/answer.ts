import type { ServerResponse } from 'node:http'
import type { Call } from './call.ts'
import { discardBody } from './connections/discard-body.ts'
import type { Fault } from './fault.ts'

/** Answer to a request, before it is sent. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Content. It is not sent for HEAD, whose headers are the same as for GET. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
}

/** Answer with a JSON body. */
export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = Buffer.from(JSON.stringify(value))
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Content-Length': `${body.length}`, ...headers },
    body,
  }
}

/** Answer for a fault. SPEC: errors are `{"errors":[{code, message, detail}]}` (distribution-spec, error codes). */
export function faultAnswer({ status, entries, headers }: Fault): Answer {
  return jsonAnswer(status, { errors: entries }, headers)
}

/**
 * Sends an answer and counts the bytes of its content. Resolves when the answer is sent or the client has disconnected.
 * Rejects with the error of the body. If the request's body has not been read to its end, the connection is closed
 * after the answer.
 */
export async function sendAnswer(
  { request, signal }: Pick<Call, 'request' | 'signal'>,
  response: ServerResponse,
  answer: Answer,
  tally: { bytesSent: number },
): Promise<void> {
  const body = request.method === 'HEAD' ? undefined : answer.body
  const chunks = body === undefined ? [] : body instanceof Uint8Array ? [body] : delayLastChunk(body)
  // SPEC: a status without content (204, 304) must not have a Content-Length (RFC 9110, 8.6).
  const empty =
    answer.body !== undefined || answer.status === 204 || answer.status === 304 ? {} : { 'Content-Length': '0' }
  const head = () => {
    if (!request.complete) response.shouldKeepAlive = false
    response.writeHead(answer.status, { ...empty, ...answer.headers })
  }
  for await (const chunk of chunks) {
    if (response.destroyed) return
    // Headers are sent with the first chunk, so a blob that cannot be opened still gets an error status.
    if (!response.headersSent) head()
    tally.bytesSent += chunk.byteLength
    if (!response.write(chunk) && response.writableNeedDrain) await settled(response, 'drain', signal)
  }
  if (response.destroyed) return
  if (!response.headersSent) head()
  if (!request.complete) await discardBody(request, response)
  response.end()
  await settled(response, 'finish', signal)
}

/**
 * Delays the last chunk until the source has ended.
 *
 * SAFETY: the digest of a blob is verified only when its stream ends. Without the delay a client would receive all
 * bytes of a damaged blob and take it for whole. With it, the stream fails before the last chunk, and the connection
 * breaks.
 */
async function* delayLastChunk(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array | undefined
  for await (const chunk of chunks) {
    if (held) yield held
    held = chunk
  }
  if (held) yield held
}

/** Resolves on the event, or when the client disconnects. */
function settled(response: ServerResponse, event: 'drain' | 'finish', signal: AbortSignal): Promise<void> {
  if (response.destroyed || response.writableFinished || signal.aborted) return Promise.resolve()
  return new Promise(resolve => {
    const end = () => {
      response.off(event, end).off('close', end)
      signal.removeEventListener('abort', end)
      resolve()
    }
    response.on(event, end).on('close', end)
    signal.addEventListener('abort', end)
  })
}
