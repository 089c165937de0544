import type { IncomingMessage, ServerResponse } from 'node:http'
import { faultAnswer, sendAnswer } from './answer.ts'
import type { Call, ServerParts } from './call.ts'
import { Fault, faultOf } from './fault.ts'
import { RequestOutcome } from './request-outcome.ts'
import { parseTarget } from './request-target.ts'
import { serveRequest } from './serve-request.ts'

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
  parts: ServerParts & { readonly closing: boolean; readonly signal: AbortSignal },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const outcome = new RequestOutcome(request, response)
  // Errors of the connection show as its end; without listeners they would end the process.
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
    // Asked where a failure is answered: the function may be the user's.
    get client() {
      return clientOf(request)
    },
  }
  await answer(call, response, outcome, parts.closing)
  try {
    onRequest(outcome.event(target.path, authorize !== undefined))
  } catch {
    // Documented: a listener that throws costs its client the connection, not everybody the process.
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
    // A head that promised something else cannot be taken back: only a broken connection tells the truth.
    if (left || response.headersSent || response.destroyed) response.destroy()
    else await sendAnswer(call, response, faultAnswer(faultOf(error)), outcome)
  }
}
