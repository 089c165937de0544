/** Page of a server beside the distribution protocol. */
export interface ServedPage {
  /** HTTP status. */
  readonly status: number
  /** Headers; they replace headers of the server with the same name. */
  readonly headers: Readonly<Record<string, string>>
  /** Bytes of the page. */
  readonly body: Uint8Array
}

/** Answers a request for a page; `undefined` if there is no page with that path. */
export type ServePage = (request: {
  /** Path without query, as the client sent it: not decoded. */
  readonly path: string
  /** Decoded parameters of the query. */
  readonly query: URLSearchParams
  /** Fires when the client disconnects. */
  readonly signal: AbortSignal
}) => Promise<ServedPage | undefined>
