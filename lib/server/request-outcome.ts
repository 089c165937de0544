import type { IncomingMessage, ServerResponse } from 'node:http'
import { LayerStoreError } from '../errors/index.ts'
import { basicCredentials } from './access/basic-credentials.ts'
import { faultOf } from './fault.ts'
import type { RegistryRequestEvent } from './options.ts'

/** Collects, while a request is answered, what its event will say. */
export class RequestOutcome {
  /** Bytes of content that were handed to the connection. */
  bytesSent = 0
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #started = performance.now()
  // The socket forgets its peer when it is closed.
  readonly #client: string | undefined
  #error: unknown

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    this.#client = request.socket.remoteAddress
  }

  /** Takes what went wrong; what came first is the cause of the rest. */
  report(error: unknown): void {
    const fault = faultOf(error)
    this.#error ??= fault.cause ?? fault
  }

  /** Whether the request failed because the client left, which is no error of this server. */
  isLeave(error: unknown): boolean {
    if (LayerStoreError.is(error)) return false
    // NODE: a body that breaks off makes the request's iterator throw "aborted" before the response is closed.
    return this.#response.destroyed || (this.#request.destroyed && !this.#request.complete)
  }

  event(path: string, hasUsers: boolean): RegistryRequestEvent {
    const { method, headers } = this.#request
    return {
      method: method ?? '',
      path,
      status: this.#response.headersSent ? this.#response.statusCode : 0,
      complete: this.#response.writableFinished,
      durationMs: performance.now() - this.#started,
      client: this.#client,
      username: hasUsers ? basicCredentials(headers.authorization).username : undefined,
      bytesSent: this.bytesSent,
      error: this.#error,
    }
  }
}
