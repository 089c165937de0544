import type { ServerResponse } from 'node:http'
import type { Call } from './call.ts'
import { discardBody } from './connections/discard-body.ts'
import type { Fault } from './fault.ts'

/** What a request is answered with. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Content; left away for HEAD, whose headers are the same. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
}

/** An answer in JSON. */
export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = Buffer.from(JSON.stringify(value))
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Content-Length': `${body.length}`, ...headers },
    body,
  }
}

/** SPEC: errors are `{"errors":[{code, message, detail}]}` (distribution-spec, error codes). */
export function faultAnswer({ status, entries, headers }: Fault): Answer {
  return jsonAnswer(status, { errors: entries }, headers)
}

/**
 * Sends an answer, and counts the bytes of its content; resolves when it is out or the client is gone. Rejects with what the
 * body throws. An answer that comes before the end of the request's body ends the connection.
 */
export async function sendAnswer(
  { request, signal }: Pick<Call, 'request' | 'signal'>,
  response: ServerResponse,
  answer: Answer,
  tally: { bytesSent: number },
): Promise<void> {
  const body = request.method === 'HEAD' ? undefined : answer.body
  const chunks = body === undefined ? [] : body instanceof Uint8Array ? [body] : heldBack(body)
  // SPEC: an answer that has no content by its nature says no length either (RFC 9110, 8.6).
  const empty =
    answer.body !== undefined || answer.status === 204 || answer.status === 304 ? {} : { 'Content-Length': '0' }
  const head = () => {
    if (!request.complete) response.shouldKeepAlive = false
    response.writeHead(answer.status, { ...empty, ...answer.headers })
  }
  for await (const chunk of chunks) {
    if (response.destroyed) return
    // The head waits for the first chunk: a blob that cannot even be opened is answered with an error.
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
 * SAFETY: a blob is proven only when its stream has ended. The last chunk waits for that, so that a client never gets
 * the whole of a damaged blob: it gets a connection that breaks.
 */
async function* heldBack(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array | undefined
  for await (const chunk of chunks) {
    if (held) yield held
    held = chunk
  }
  if (held) yield held
}

/** Waits for an event, or for the client to leave. */
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
