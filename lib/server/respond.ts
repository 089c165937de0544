import type { IncomingMessage, ServerResponse } from 'node:http'
import { faultAnswer, sendAnswer } from './answer.ts'
import type { Call, ServerParts } from './call.ts'
import { Fault, faultOf } from './fault.ts'
import { serveRequest } from './serve-request.ts'

/** How much of a body that nobody wants is read, so that the client gets to read the refusal. */
const UNWANTED_BYTES = 16 * 1024 * 1024

/**
 * SAFETY: a blob or a manifest may hold HTML or SVG. A browser that opens its address must neither guess another media type
 * (`nosniff`) nor run a script of it in the origin of the registry (the policy).
 */
const ON_EVERY_ANSWER = [
  ['Docker-Distribution-Api-Version', 'registry/2.0'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox"],
] as const

/** Answers one request, whatever happens. Never rejects. */
export async function respond(
  parts: ServerParts & { readonly closing: boolean },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const started = performance.now()
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  // Errors of the connection show as its end; without listeners they would end the process.
  request.on('error', () => {})
  response.on('error', () => {})
  for (const [name, value] of ON_EVERY_ANSWER) response.setHeader(name, value)
  const { path, query } = splitUrl(request.url ?? '')
  await answer({ ...parts, request, path, query, signal: gone.signal }, response, parts.closing)
  discardRest(request)
  try {
    parts.settings.onRequest({
      method: request.method ?? '',
      path,
      status: response.statusCode,
      complete: response.writableFinished,
      durationMs: performance.now() - started,
    })
  } catch {
    // Documented: a listener that throws costs its client the connection, not everybody the process.
    request.destroy()
  }
}

async function answer(call: Call, response: ServerResponse, closing: boolean): Promise<void> {
  try {
    if (closing)
      throw new Fault(503, { code: 'UNAVAILABLE', message: 'the registry is closing' }, { Connection: 'close' })
    await sendAnswer(call.request, response, await serveRequest(call))
  } catch (error) {
    // A head that promised something else cannot be taken back: only a broken connection tells the truth.
    if (response.headersSent || response.destroyed) response.destroy()
    else await sendAnswer(call.request, response, faultAnswer(faultOf(error)))
  }
}

/**
 * The path as it came, and the query. Not `new URL`, which would resolve `..` and take `//x/v2/` for a host.
 *
 * SPEC: a server takes the absolute form of a target too, which clients of a proxy send (RFC 9112, 3.2.2). This server has
 * one name space for all hosts, so the host decides nothing.
 */
function splitUrl(target: string): { path: string; query: URLSearchParams } {
  const url = target.replace(/^https?:\/\/[^/?#]*/i, '')
  const at = url.indexOf('?')
  return at < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) }
}

/** SAFETY: a client that goes on sending after it was refused is cut off, at a size and by the idle time. */
function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength
    if (bytes > UNWANTED_BYTES) request.destroy()
  })
}
