import { FormatError } from '../../errors/index.ts'
import type { Repository } from '../../oci/index.ts'
import { baseUrl, matchesHost } from '../addresses/base-url.ts'
import type { RegistryClientOptions, RegistryHostOptions } from '../client-options.ts'
import type { Credential } from '../credentials/credential.ts'
import { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { systemLookup } from '../transport/guarded-lookup.ts'
import type { TlsSettings, Transport } from '../transport/transport.ts'
import { atMirror, type ParsedMirror, parseMirrors } from './mirrors.ts'
import type { Source } from './source.ts'

/** Fewer tries than at a registry, since another source remains. */
const TRIES_AT_MIRROR = 2
const LONGEST_RETRY_AFTER_AT_MIRROR_MS = 1000

/** Settings of a registry, checked, with its mirrors parsed. */
interface CheckedHost {
  readonly options: RegistryHostOptions
  readonly mirrors: readonly ParsedMirror[]
}

/** The endpoints of a client, each created when it is first needed. */
export class Endpoints {
  readonly #options: RegistryClientOptions
  readonly #transport: Transport
  readonly #endpoints = new Map<string, RegistryEndpoint>()
  readonly #hosts = new Map<string, CheckedHost>()

  constructor(options: RegistryClientOptions, transport: Transport) {
    this.#options = options
    this.#transport = transport
    checkConcurrency(options.concurrency)
    if (typeof options.hosts === 'function') return
    for (const registry of Object.keys(options.hosts ?? {})) this.#host(registry)
  }

  /** Returns the endpoint of a repository's own registry, which every change must use. */
  at({ registry }: Pick<Repository, 'registry'>): RegistryEndpoint {
    return this.#open(registry, undefined)
  }

  /** Returns the sources of a repository: its mirrors, then the registry. */
  sources(repository: Repository): readonly Source[] {
    const { registry } = repository
    const { mirrors } = this.#host(registry)
    const own = { name: registry, endpoint: this.at(repository), repository, byDigestOnly: false }
    return [
      ...mirrors.map(mirror => ({
        name: mirror.location,
        endpoint: this.#open(mirror.registry, mirror.sendOrigin ? registry : undefined, true),
        repository: atMirror(repository, mirror),
        byDigestOnly: mirror.byDigestOnly,
      })),
      own,
    ]
  }

  /** Returns the settings of a registry, checked when it is first needed. */
  #host(registry: string): CheckedHost {
    const known = this.#hosts.get(registry)
    if (known) return known
    const host = hostOptions(this.#options, registry)
    checkConcurrency(host.concurrency)
    if ((host.cert === undefined) !== (host.key === undefined)) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `cert and key of ${registry} belong together`)
    }
    const checked = { options: host, mirrors: parseMirrors(host.mirrors) }
    this.#hosts.set(registry, checked)
    return checked
  }

  #open(registry: string, origin: string | undefined, isMirror = false): RegistryEndpoint {
    const key = `${registry} ${origin ?? ''} ${isMirror}`
    let endpoint = this.#endpoints.get(key)
    if (!endpoint) {
      endpoint = this.#create(registry, origin, isMirror)
      this.#endpoints.set(key, endpoint)
    }
    return endpoint
  }

  #create(registry: string, origin: string | undefined, isMirror: boolean): RegistryEndpoint {
    const options = this.#options
    const { options: host } = this.#host(registry)
    const retries = options.retries ?? {}
    const hasty = { tries: TRIES_AT_MIRROR, maxRetryAfterMs: LONGEST_RETRY_AFTER_AT_MIRROR_MS }
    return new RegistryEndpoint({
      registry,
      base: baseUrl(registry, host.plainHttp === undefined ? options.plainHttp : () => host.plainHttp),
      transport: this.#transport,
      allowedHosts: options.allowedHosts,
      tls: tlsOf(host, host.insecure ?? matchesHost(options.insecure, registry)),
      lookup: options.lookup ?? systemLookup,
      origin,
      concurrency: host.concurrency ?? options.concurrency ?? 4,
      retries: isMirror ? { ...retries, ...hasty } : retries,
      credential: (repository, signal) => findCredential(registry, repository, options, signal),
      onWarning: message => options.onWarning?.({ registry, message }),
      onWait: ({ delayMs, error }) => options.onEvent?.({ type: 'waiting', registry, delayMs, reason: error.code }),
      onRateLimit: limit => options.onEvent?.({ type: 'rate-limit', registry, ...limit }),
    })
  }
}

function checkConcurrency(concurrency = 1): void {
  if (Number.isInteger(concurrency) && concurrency >= 1) return
  throw new FormatError('ERR_INVALID_ARGUMENT', `concurrency must be a whole number from 1 on, is ${concurrency}`)
}

function hostOptions({ hosts }: RegistryClientOptions, registry: string): RegistryHostOptions {
  if (typeof hosts === 'function') return hosts(registry) ?? {}
  return (hosts && Object.hasOwn(hosts, registry) && hosts[registry]) || {}
}

function tlsOf(host: RegistryHostOptions, insecure: boolean | undefined): TlsSettings | undefined {
  const { cert, key, passphrase } = host
  const ca = typeof host.ca === 'string' ? [host.ca] : host.ca
  const needed = insecure || ca !== undefined || cert !== undefined
  return needed ? { ca, cert, key, passphrase, insecure } : undefined
}

async function findCredential(
  registry: string,
  repository: string | undefined,
  { credentials, environment = process.env }: RegistryClientOptions,
  signal: AbortSignal,
): Promise<Credential | undefined> {
  if (credentials === false) return undefined
  if (typeof credentials === 'function') return credentials(registry, { signal, repository })
  if (credentials && Object.hasOwn(credentials, registry)) return credentials[registry]
  // PERF: this module loads node:child_process and node:fs; only a registry that asks for credentials needs it.
  const { defaultCredentials } = await import('../credentials/default-credentials.ts')
  return defaultCredentials(registry, environment, signal, repository)
}
