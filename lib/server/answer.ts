import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
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
 * body throws.
 */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  tally: { bytesSent: number },
): Promise<void> {
  const body = request.method === 'HEAD' ? undefined : answer.body
  const chunks = body === undefined ? [] : body instanceof Uint8Array ? [body] : heldBack(body)
  // SPEC: an answer that has no content by its nature says no length either (RFC 9110, 8.6).
  const empty =
    answer.body !== undefined || answer.status === 204 || answer.status === 304 ? {} : { 'Content-Length': '0' }
  const head = () => response.writeHead(answer.status, { ...empty, ...answer.headers })
  for await (const chunk of chunks) {
    if (response.destroyed) return
    // The head waits for the first chunk: a blob that cannot even be opened is answered with an error.
    if (!response.headersSent) head()
    tally.bytesSent += chunk.byteLength
    if (!response.write(chunk)) await drained(response)
  }
  if (response.destroyed) return
  if (!response.headersSent) head()
  response.end()
  await settled(response, 'finish')
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

async function drained(response: ServerResponse): Promise<void> {
  if (response.writableNeedDrain) await settled(response, 'drain')
}

/** Waits for an event, or for the client to leave. */
async function settled(response: ServerResponse, event: 'drain' | 'finish'): Promise<void> {
  if (response.destroyed || response.writableFinished) return
  const controller = new AbortController()
  const { signal } = controller
  try {
    await Promise.race([once(response, event, { signal }), once(response, 'close', { signal })])
  } finally {
    controller.abort()
  }
}
