import type { IncomingMessage } from 'node:http'
import { BuildError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { connectionFault } from '../../internal/connection-fault.ts'

/** Limits the addresses that one download leads through. */
const MOST_REDIRECTS = 10
/** Time without a byte after which a download counts as failed. */
const SILENCE_MS = 60_000

/** Asks for a file, and follows redirects. The caller reads the body or destroys it. */
export async function httpGet(
  address: string,
  headers: Readonly<Record<string, string>>,
  options: AbortOptions,
): Promise<IncomingMessage> {
  let url = new URL(address)
  for (let i = 0; i <= MOST_REDIRECTS; i++) {
    const response = await ask(url, headers, options)
    const { statusCode: status = 0 } = response
    const { location } = response.headers
    if (status < 300 || status === 304) return response
    response.destroy()
    if (status >= 400 || location === undefined) throw refused(url, `the server answered ${status}`)
    url = next(url, location)
  }
  throw refused(url, `more than ${MOST_REDIRECTS} redirects`)
}

function next(from: URL, location: string): URL {
  const url = new URL(location, from)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(url, 'a redirect leads to another protocol')
  // SAFETY: a file that was asked for over TLS is not taken from a connection that anything on the way may change.
  if (from.protocol === 'https:' && url.protocol === 'http:') throw refused(url, 'a redirect leads from https to http')
  return url
}

async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { signal }: AbortOptions,
): Promise<IncomingMessage> {
  // PERF: loading these takes 4 ms, and most programs download nothing.
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    // The bytes as the server holds them: a content coding would change the digest.
    const sent = request(url, {
      headers: { 'accept-encoding': 'identity', 'user-agent': 'layerstore', ...headers },
      signal,
    })
    sent.setTimeout(SILENCE_MS, () => sent.destroy(silence()))
    sent.on('response', resolve)
    sent.on('error', error =>
      reject(signal?.aborted ? signal.reason : refused(url, connectionFault(url, error), error)),
    )
    sent.end()
  })
}

/** SAFETY: user, password and query of an address may be secrets. */
export function shownAddress(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`
}

/** The error of a connection that fell silent, with the code of the system's own `ETIMEDOUT`. */
function silence(): NodeJS.ErrnoException {
  return Object.assign(new Error(`no byte within ${SILENCE_MS} ms`), { code: 'ETIMEDOUT' })
}

function refused(url: URL, problem: string, cause?: unknown): BuildError {
  const message = `${problem}: ${shownAddress(url)}`
  return new BuildError('ERR_BUILD_FETCH', message, {}, cause === undefined ? undefined : { cause })
}
