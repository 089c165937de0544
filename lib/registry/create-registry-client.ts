import type { RegistryClientOptions } from './client-options.ts'
import { createClient } from './create-client.ts'
import type { RegistryClient } from './registry-client.ts'
import { Endpoints } from './sources/endpoints.ts'
import { proxyRule } from './transport/proxy-rule.ts'
import { ThreadedTransport } from './transport/threaded-transport.ts'
import type { Timeouts } from './transport/transport.ts'

const TIMEOUTS: Timeouts = { connectMs: 30_000, answerMs: 60_000, uploadAnswerMs: 300_000, idleMs: 60_000 }

/**
 * Creates a client for any number of registries. It reads no file and opens no connection before the first call. It
 * keeps idle connections for a while; they do not keep the process alive.
 *
 * The client looks credentials up when a registry first asks for them, and sends them only to that registry and the
 * token service that it names.
 *
 * @example
 * ```ts
 * await using registry = createRegistryClient({
 *   credentials: { 'ghcr.io': { username: 'ci', password: process.env.TOKEN ?? '' } },
 * })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if `concurrency` is not a positive integer, a mirror is not a
 * valid location, or the proxy is not an http or https URL.
 */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const transport = new ThreadedTransport({
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

/** Removes members that are `undefined`, which would otherwise replace a default. */
function definedOnly<T extends object>(object: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(object ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}
