import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Store } from '../store/index.ts'
import type { ServerParts } from './call.ts'
import { Pipelines } from './connections/pipeline.ts'
import { closeServer, type ListenOptions, openServer, type RegistryAddress } from './listen.ts'
import { ManifestMemory } from './manifests/manifest-memory.ts'
import { StoredManifests } from './manifests/stored-manifests.ts'
import { type RegistryServerOptions, type Settings, settingsOf } from './options.ts'
import { PeerLink } from './peers/peer-link.ts'
import { PushLease } from './pushes/push-lease.ts'
import { ReferrerIndex } from './referrers/referrer-index.ts'
import { respond } from './respond.ts'
import { UploadSessions } from './uploads/upload-sessions.ts'
import { Upstream } from './upstream/upstream.ts'

/** Serves a store by the OCI distribution protocol. */
export interface RegistryServer extends AsyncDisposable {
  /** Answers one request; for a `node:http` server of the caller. Never throws. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void

  /**
   * Listens for http, or for https with a key and a certificate. Without `authorize` every client that reaches the port
   * may read, and may write unless the server is read-only.
   *
   * @throws {@link ListenError} `ERR_LISTEN`; {@link FormatError} `ERR_INVALID_ARGUMENT` for a key or certificate that
   * cannot be used.
   */
  listen(options?: ListenOptions): Promise<RegistryAddress>

  /**
   * Refuses new requests, waits up to `closeGraceMs` for the running ones and then aborts them. Drops unfinished
   * uploads unless `keepUploads` is set. The store stays open. Idempotent.
   */
  close(): Promise<void>
}

/**
 * Serves a store to Docker, containerd, skopeo and other clients of the distribution protocol, and to this library's
 * client.
 *
 * Bodies are streamed in both directions. Blobs are verified while they are sent; a damaged blob breaks the connection.
 * The README of this room lists the endpoints, the mapping of names and the limits.
 *
 * @example
 * ```ts
 * await using server = createRegistryServer(store, { readOnly: true })
 * const { url } = await server.listen({ port: 5000 })
 * ```
 *
 * @see {@link https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md | distribution-spec}
 */
export function createRegistryServer(store: Store, options: RegistryServerOptions = {}): RegistryServer {
  return new StoreServer(store, settingsOf(options))
}

class StoreServer implements RegistryServer {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void
  readonly #settings: Settings
  readonly #parts: ServerParts
  readonly #running = new Map<ServerResponse, Promise<void>>()
  readonly #pipelines: Pipelines
  readonly #servers = new Set<Server>()
  #closed: Promise<void> | undefined

  constructor(store: Store, settings: Settings) {
    this.#settings = settings
    this.#pipelines = new Pipelines(settings.maxPipelinedRequests)
    const peers = new PeerLink(settings.peers, settings.onError)
    const manifestMemory = new ManifestMemory(settings.manifestMemoryBytes)
    this.#parts = {
      store,
      settings,
      manifests: new StoredManifests(store, manifestMemory),
      manifestMemory,
      uploads: new UploadSessions(store, settings, peers),
      pushes: new PushLease(store, settings.uploadIdleMs),
      referrers: new ReferrerIndex(store, manifestMemory),
      peers,
      upstream: settings.upstream && new Upstream(store, settings.upstream, settings.onError),
    }
    const { uploads, referrers } = this.#parts
    peers.serve({
      upload: question => uploads.handOver(question),
      referrer: ({ blob, subject }) => referrers.note(blob, subject),
    })
    this.handler = (request, response) => {
      const done = this.#pipelines
        .run(request, response, signal =>
          respond({ ...this.#parts, closing: this.#isClosing, signal }, request, response),
        )
        .finally(() => this.#running.delete(response))
      this.#running.set(response, done)
    }
  }

  get #isClosing(): boolean {
    return this.#closed !== undefined
  }

  async listen(options: ListenOptions = {}): Promise<RegistryAddress> {
    const { server, address } = await openServer(this.handler, options, this.#settings)
    this.#servers.add(server)
    // `close` was called while the port was being opened.
    if (this.#closed) await closeServer(server, Promise.resolve())
    return address
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const finished = this.#finishRunning()
    await Promise.all([...this.#servers].map(server => closeServer(server, finished)))
    await finished
    await this.#parts.upstream?.close()
    await this.#parts.uploads.close()
    await this.#parts.pushes.close()
  }

  /** Waits up to `closeGraceMs` for the running requests, then aborts them. */
  async #finishRunning(): Promise<void> {
    const all = Promise.all(this.#running.values())
    let timer: NodeJS.Timeout | undefined
    const grace = new Promise<void>(resolve => {
      timer = setTimeout(resolve, this.#settings.closeGraceMs)
    })
    await Promise.race([all, grace])
    clearTimeout(timer)
    for (const response of this.#running.keys()) response.destroy()
    await all
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
