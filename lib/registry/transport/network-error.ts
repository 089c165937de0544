import { RegistryError } from '../../errors/index.ts'
import { connectionFault } from '../../internal/connection-fault.ts'
import { isTransient } from '../../internal/http/is-transient.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { protocolError } from './protocol-error.ts'
import type { WireRequest } from './transport.ts'

/**
 * Builds the error for an exchange that ended without a complete answer, or whose answer is not HTTP.
 *
 * @param proxy - The proxy that the request went through.
 */
export function networkError(
  request: Pick<WireRequest, 'method' | 'url'>,
  cause: unknown,
  proxy?: URL | undefined,
): RegistryError {
  const details = { method: request.method, url: shownUrl(request.url) }
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
  if (code === 'ERR_BLOCKED_URL') {
    return new RegistryError(code, `address refused: ${(cause as Error).message}`, details, { cause })
  }
  if (code.startsWith('HPE_')) {
    // A server for TLS answers plain http with a TLS alert, and other servers with their own protocols.
    const hint = request.url.protocol === 'http:' ? '; it may need TLS' : ''
    return protocolError(request, `answer is not valid HTTP (${code})${hint}`, { cause })
  }
  const retryable = isTransient(cause)
  const isProxy =
    proxy !== undefined && ['connect', 'getaddrinfo'].includes(String((cause as NodeJS.ErrnoException).syscall))
  const message = isProxy
    ? `proxy ${shownUrl(proxy)} not reached: ${connectionFault(proxy, cause)}`
    : connectionFault(request.url, cause)
  return new RegistryError('ERR_NETWORK', message, { ...details, retryable }, { cause })
}
