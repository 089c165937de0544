import type { RegistryClientOptions } from './client-options.ts'
import { createClient } from './create-client.ts'
import type { RegistryClient } from './registry-client.ts'
import { Endpoints } from './sources/endpoints.ts'
import { NodeTransport } from './transport/node-transport.ts'
import { proxyRule } from './transport/proxy-rule.ts'
import type { Timeouts } from './transport/transport.ts'

const TIMEOUTS: Timeouts = { connectMs: 30_000, answerMs: 60_000, uploadAnswerMs: 300_000, idleMs: 60_000 }

/**
 * Makes a client for any number of registries. Nothing is read or connected before the first call; connections are kept
 * for a while, but never keep the process alive.
 *
 * Credentials are looked up when a registry first asks for some, and go to that registry and the token service it names,
 * nowhere else.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if `concurrency` is not a whole number from 1 on, a mirror is not one,
 * or the proxy is no address.
 */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const transport = new NodeTransport({
    timeouts: { ...TIMEOUTS, ...definedOnly(options.timeouts) },
    ca: typeof options.ca === 'string' ? [options.ca] : options.ca,
    proxyFor: proxyRule(options.proxy, options.environment ?? process.env),
    lookup: options.lookup,
  })
  return createClient({
    endpoints: new Endpoints(options, transport),
    onEvent: options.onEvent,
    close: async () => transport.close(),
  })
}

/** Left-out members of an options object may be there as `undefined`. */
function definedOnly<T extends object>(object: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(object ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}
