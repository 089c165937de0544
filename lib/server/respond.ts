import type { IncomingMessage, ServerResponse } from 'node:http'
import { faultAnswer, sendAnswer } from './answer.ts'
import type { Call, ServerParts } from './call.ts'
import { Fault, requestFaultOf } from './fault.ts'
import { RequestOutcome } from './request-outcome.ts'
import { parseTarget } from './request-target.ts'
import { serveRequest } from './serve-request.ts'

/**
 * SAFETY: a blob or a manifest may contain HTML or SVG. A browser that opens its address must not guess another media
 * type (`nosniff`) and must not run scripts in the origin of the registry (the policy).
 */
const ON_EVERY_ANSWER = [
  ['Docker-Distribution-Api-Version', 'registry/2.0'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox"],
] as const

/** Answers one request and reports it to `onRequest`. Never rejects. */
export async function respond(
  parts: ServerParts & { readonly closing: boolean; readonly signal: AbortSignal },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const outcome = new RequestOutcome(request, response)
  // A broken connection is noticed as 'close'. Without these listeners its 'error' event would end the process.
  request.on('error', () => {})
  response.on('error', () => {})
  for (const [name, value] of ON_EVERY_ANSWER) response.setHeader(name, value)
  const target = parseTarget(request.url ?? '')
  const report = (error: unknown) => outcome.report(error)
  const { onRequest, authorize, clientOf } = parts.settings
  const call = {
    ...parts,
    ...target,
    request,
    report,
    // Evaluated lazily, inside `answer`: `clientOf` may be the caller's function, and its exception is answered there.
    get client() {
      return clientOf(request)
    },
  }
  await answer(call, response, outcome, parts.closing)
  try {
    onRequest(outcome.event(target.path, authorize !== undefined))
  } catch {
    // A listener that throws costs its client the connection; it must not end the process. Documented at `onRequest`.
    request.destroy()
  }
}

async function answer(call: Call, response: ServerResponse, outcome: RequestOutcome, closing: boolean): Promise<void> {
  try {
    if (closing) {
      response.shouldKeepAlive = false
      throw new Fault(503, { code: 'UNAVAILABLE', message: 'the registry is closing' })
    }
    await sendAnswer(call, response, await serveRequest(call), outcome)
  } catch (error) {
    const left = outcome.isLeave(error)
    if (!left) outcome.report(error)
    // The status has been sent already: breaking the connection is the only way left to report the failure.
    if (left || response.headersSent || response.destroyed) response.destroy()
    else await sendAnswer(call, response, faultAnswer(requestFaultOf(error)), outcome)
  }
}
