import type { IncomingMessage, ServerResponse } from 'node:http'
import { LayerStoreError } from '../errors/index.ts'
import { basicCredentials } from './access/basic-credentials.ts'
import { requestFaultOf } from './fault.ts'
import type { RegistryRequestEvent } from './options.ts'

/** Collects the data for the event of one request. */
export class RequestOutcome {
  /** Bytes of content that were written to the connection. */
  bytesSent = 0
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #started = performance.now()
  // Read early: a closed socket no longer has a `remoteAddress`.
  readonly #client: string | undefined
  #error: unknown

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    this.#client = request.socket.remoteAddress
  }

  /** Records a failure. The first one counts; later ones follow from it. */
  report(error: unknown): void {
    const fault = requestFaultOf(error)
    this.#error ??= fault.cause ?? fault
  }

  /** Whether the request failed because the client disconnected; that is no error of the server. */
  isLeave(error: unknown): boolean {
    if (LayerStoreError.is(error)) return false
    // NODE: when a request body breaks off, its iterator throws "aborted" before the response emits 'close' (Node 20;
    // test 'an event reports a damaged blob as an error, and a client that disconnects as none').
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
