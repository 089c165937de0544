import { type IncomingHttpHeaders, request } from 'node:http'

/** An answer, read to its end; `complete` is false if the connection closed before. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly complete: boolean
  readonly json: () => { errors: { code: string; message: string; detail?: Record<string, unknown> }[] } & Record<
    string,
    unknown
  >
}

/** Sends one request on its own connection: does not normalise the path, follow redirects or decode. */
export function httpRequest(
  base: string,
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: Uint8Array | string | Iterable<Uint8Array> } = {},
): Promise<HttpAnswer> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers: options.headers ?? {}, agent: false })
    outgoing.on('error', reject)
    outgoing.on('response', incoming => {
      const chunks: Buffer[] = []
      incoming.on('data', chunk => chunks.push(chunk))
      incoming.on('error', () => {})
      incoming.on('close', () => {
        const body = Buffer.concat(chunks)
        const { statusCode: status = 0, headers, complete } = incoming
        resolve({ status, headers, body, complete, json: () => JSON.parse(body.toString()) })
      })
    })
    const { body } = options
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body)
    else {
      for (const chunk of body) outgoing.write(chunk)
      outgoing.end()
    }
  })
}
