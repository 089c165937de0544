import { RegistryError } from '../../errors/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import type { WireRequest } from './transport.ts'

/** Builds the error for an answer that violates the protocol. */
export function protocolError(
  { method, url }: Pick<WireRequest, 'method' | 'url'>,
  message: string,
  options?: ErrorOptions,
): RegistryError {
  return new RegistryError('ERR_PROTOCOL', message, { method, url: shownUrl(url) }, options)
}
