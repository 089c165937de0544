import { FormatError } from '../errors/index.ts'
import type { Repository } from '../spec/index.ts'
import { baseUrl, matchesHost } from './addresses/base-url.ts'
import { fetchBlob } from './blobs/fetch-blob.ts'
import { mountBlob } from './blobs/mount-blob.ts'
import { pushBlob } from './blobs/push-blob.ts'
import { statBlob } from './blobs/stat-blob.ts'
import type { RegistryClientOptions } from './client-options.ts'
import type { Credential } from './credentials/credential.ts'
import { RegistryEndpoint } from './endpoint/registry-endpoint.ts'
import { fetchManifest } from './manifests/fetch-manifest.ts'
import { pushManifest } from './manifests/push-manifest.ts'
import { resolve } from './manifests/resolve.ts'
import type { RegistryClient } from './registry-client.ts'
import { listTags } from './tags/list-tags.ts'
import { NodeTransport } from './transport/node-transport.ts'
import type { Timeouts } from './transport/transport.ts'

const TIMEOUTS: Timeouts = { connectMs: 30_000, answerMs: 60_000, uploadAnswerMs: 300_000, idleMs: 60_000 }

/**
 * Makes a client for any number of registries. Nothing is read or connected before the first call; connections are kept
 * for a while, but never keep the process alive.
 *
 * Credentials are looked up when a registry first asks for some, and go to that registry and the token service it names,
 * nowhere else.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if `concurrency` is not a whole number from 1 on.
 */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const { concurrency = 4 } = options
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `concurrency must be a whole number from 1 on, is ${concurrency}`)
  }
  const ca = typeof options.ca === 'string' ? [options.ca] : options.ca
  const transport = new NodeTransport({ timeouts: { ...TIMEOUTS, ...definedOnly(options.timeouts) }, ca })
  const endpoints = new Map<string, RegistryEndpoint>()
  return clientOver(
    ({ registry }) => {
      const endpoint = endpoints.get(registry) ?? openEndpoint(registry, transport, concurrency, options)
      endpoints.set(registry, endpoint)
      return endpoint
    },
    async () => transport.close(),
  )
}

/** Left-out members of an options object may be there as `undefined`. */
function definedOnly<T extends object>(object: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(object ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}

function openEndpoint(
  registry: string,
  transport: NodeTransport,
  concurrency: number,
  options: RegistryClientOptions,
): RegistryEndpoint {
  return new RegistryEndpoint({
    registry,
    base: baseUrl(registry, options.plainHttp),
    transport,
    allowedHosts: options.allowedHosts,
    insecure: matchesHost(options.insecure, registry) ?? false,
    concurrency,
    retries: options.retries ?? {},
    credential: signal => findCredential(registry, options, signal),
    onWarning: message => options.onWarning?.({ registry, message }),
    onWait: ({ delayMs, error }) => options.onEvent?.({ type: 'waiting', registry, delayMs, reason: error.code }),
  })
}

async function findCredential(
  registry: string,
  { credentials, environment = process.env }: RegistryClientOptions,
  signal: AbortSignal,
): Promise<Credential | undefined> {
  if (credentials === false) return undefined
  if (typeof credentials === 'function') return credentials(registry, { signal })
  if (credentials && Object.hasOwn(credentials, registry)) return credentials[registry]
  // PERF: with node:child_process and node:fs; only a registry that asks for credentials costs that.
  const { defaultCredentials } = await import('./credentials/default-credentials.ts')
  return defaultCredentials(registry, environment, signal)
}

type Endpoints = (repository: Repository) => RegistryEndpoint

/** Every act takes its place in a lane here, so that acts can be made of one another without entering twice. */
function clientOver(at: Endpoints, close: () => Promise<void>): RegistryClient {
  return {
    async resolve(reference, { signal } = {}) {
      return at(reference).within('document', signal, () => resolve(at(reference), reference, signal))
    },
    async fetchManifest(reference, { signal } = {}) {
      return at(reference).within('document', signal, () => fetchManifest(at(reference), reference, signal))
    },
    async pushManifest(repository, manifest, tag, { signal } = {}) {
      const push = () => pushManifest(at(repository), repository, manifest, tag, signal)
      return at(repository).within('document', signal, push)
    },
    async statBlob(repository, digest, { signal } = {}) {
      return at(repository).within('document', signal, () => statBlob(at(repository), repository, digest, signal))
    },
    async *fetchBlob(repository, descriptor, options = {}) {
      yield* fetchBlob(at(repository), repository, descriptor, options)
    },
    async pushBlob(repository, descriptor, open, { signal } = {}) {
      const push = () => pushBlob(at(repository), repository, descriptor, open, signal)
      return at(repository).within('upload', signal, push)
    },
    async mountBlob(repository, digest, from, { signal } = {}) {
      const mount = () => mountBlob(at(repository), repository, digest, from, signal)
      return at(repository).within('document', signal, mount)
    },
    async *listTags(repository, { signal } = {}) {
      yield* listTags(at(repository), repository, signal)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
