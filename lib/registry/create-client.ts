import { type Digest, parseDigest } from '../digest/index.ts'
import { type LayerStoreError, RegistryError } from '../errors/index.ts'
import type { Reference, Repository } from '../oci/index.ts'
import { type BlobPlace, blobRequest, foreignRequest } from './blobs/blob-request.ts'
import { fetchFromPlaces } from './blobs/fetch-from-places.ts'
import { statBlob } from './blobs/stat-blob.ts'
import { checkAccess } from './check-access.ts'
import type { RegistryEvent } from './client-options.ts'
import { listRepositories } from './lists/list-repositories.ts'
import { listTags } from './lists/list-tags.ts'
import { deleteAt } from './manifests/delete-at.ts'
import { deleteManifest } from './manifests/delete-manifest.ts'
import { deleteTag } from './manifests/delete-tag.ts'
import { fetchManifest } from './manifests/fetch-manifest.ts'
import { pushManifest } from './manifests/push-manifest.ts'
import { resolve } from './manifests/resolve.ts'
import { listReferrers } from './referrers/list-referrers.ts'
import type { RegistryClient } from './registry-client.ts'
import type { Endpoints } from './sources/endpoints.ts'
import { firstOf } from './sources/first-of.ts'
import type { Source } from './sources/source.ts'
import { Trust } from './sources/trust.ts'
import { mountBlob } from './uploads/mount-blob.ts'
import { pushBlob } from './uploads/push-blob.ts'
import { statUpload } from './uploads/stat-upload.ts'

/**
 * SAFETY: a manifest can name any number of URLs for one layer and the client retries each one several times, so a
 * hostile manifest could keep the client busy without end. Only the first ones are used.
 */
const MOST_URLS = 16

/** The parts that a client is built from. */
export interface ClientContext {
  readonly endpoints: Endpoints
  readonly onEvent: ((event: RegistryEvent) => void) | undefined
  close(): Promise<void>
}

/**
 * Creates a client. Each method acquires its permit here, so acts can call each other without acquiring a second one.
 */
export function createClient({ endpoints, onEvent, close }: ClientContext): RegistryClient {
  const at = (repository: Pick<Repository, 'registry'>) => endpoints.at(repository)
  const document = <T>(repository: Repository, signal: AbortSignal | undefined, work: () => Promise<T>) =>
    at(repository).within('document', signal, work)
  const reading = new Reading(endpoints, onEvent)
  return {
    checkAccess: async (registry, { signal } = {}) =>
      at({ registry }).within('document', signal, () => checkAccess(at({ registry }), signal)),
    resolve: async (reference, { signal } = {}) =>
      reading.document(reference, signal, ({ endpoint }, there) => resolve(endpoint, there, signal)),
    fetchManifest: async (reference, { signal } = {}) =>
      reading.document(reference, signal, ({ endpoint }, there) => fetchManifest(endpoint, there, signal)),
    async pushManifest(repository, manifest, tag, { signal } = {}) {
      const tags = tag === undefined ? [] : [tag].flat()
      return document(repository, signal, () => pushManifest(at(repository), repository, manifest, tags, signal))
    },
    statBlob: async (repository, digest, { signal } = {}) =>
      document(repository, signal, () => statBlob(at(repository), repository, digest, signal)),
    async *fetchBlob(repository, descriptor, options = {}) {
      const { places, observer } = reading.blob(repository, descriptor.digest, descriptor.urls, options)
      yield* fetchFromPlaces(places, descriptor, options, observer)
    },
    sourcesOf: repository => endpoints.sources(repository).map(({ name }) => name),
    distrustBlob: (repository, digest) => reading.distrust(repository, digest),
    async pushBlob(repository, descriptor, open, options = {}) {
      const push = () => pushBlob(at(repository), repository, descriptor, open, options)
      return at(repository).within('upload', options.signal, push)
    },
    statUpload: async (repository, digest, uploads, { signal } = {}) =>
      document(repository, signal, () => statUpload(at(repository), repository, digest, uploads, signal)),
    mountBlob: async (repository, digest, from, { signal } = {}) =>
      document(repository, signal, () => mountBlob(at(repository), repository, digest, from, signal)),
    async *listTags(repository, { signal } = {}) {
      yield* listTags(at(repository), repository, signal)
    },
    async *listRepositories(registry, { signal } = {}) {
      yield* listRepositories(at({ registry }), signal)
    },
    async *listReferrers(repository, digest, options = {}) {
      yield* listReferrers(at(repository), repository, digest, options)
    },
    deleteManifest: async (repository, digest, { signal } = {}) =>
      document(repository, signal, () => deleteManifest(at(repository), repository, digest, signal)),
    deleteTag: async (repository, tag, { signal } = {}) =>
      document(repository, signal, () => deleteTag(at(repository), repository, tag, signal)),
    async deleteBlob(repository, digest, { signal } = {}) {
      const url = at(repository).url(repository, `blobs/${parseDigest(digest)}`)
      return document(repository, signal, () => deleteAt(at(repository), repository, url, signal))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Reads from the mirrors of a registry in order, then from the registry itself. */
class Reading {
  readonly #endpoints: Endpoints
  readonly #onEvent: ((event: RegistryEvent) => void) | undefined
  readonly #trust = new Trust()

  constructor(endpoints: Endpoints, onEvent: ((event: RegistryEvent) => void) | undefined) {
    this.#endpoints = endpoints
    this.#onEvent = onEvent
  }

  async document<T>(
    reference: Reference,
    signal: AbortSignal | undefined,
    work: (source: Source, reference: Reference) => Promise<T>,
  ): Promise<T> {
    const all = this.#endpoints.sources(reference)
    const sources = reference.digest === undefined ? all.filter(({ byDigestOnly }) => !byDigestOnly) : all
    const ask = (source: Source) => {
      const { registry, repository } = source.repository
      return source.endpoint.within('document', signal, () => work(source, { ...reference, registry, repository }))
    }
    return firstOf(sources, signal, ask, ({ name }, error) => this.#report(reference.registry, name, error))
  }

  blob(
    repository: Repository,
    digest: Digest,
    urls: readonly string[] | undefined,
    { foreign, signal }: { readonly foreign?: boolean | undefined; readonly signal?: AbortSignal | undefined },
  ) {
    const sources = this.#endpoints.sources(repository)
    const own = sources.at(-1)!
    const names = sources.map(({ name }) => name)
    const key = keyOf(repository, digest)
    const usable = this.#trust.usable(key, names)
    const places = sources
      .filter(({ name }) => usable.includes(name))
      .map(({ name, endpoint, repository: there }) => (): BlobPlace => {
        return { name, endpoint, request: blobRequest(endpoint, 'GET', there, digest, signal) }
      })
    const elsewhere = (foreign ? (urls ?? []) : []).slice(0, MOST_URLS).map(text => (): BlobPlace => {
      const { endpoint } = own
      return { name: 'urls', endpoint, request: foreignRequest(endpoint, text, signal) }
    })
    const observer = {
      gave: ({ name }: BlobPlace) => this.#trust.note(key, names, name),
      failed: ({ name }: BlobPlace, error: LayerStoreError) => this.#report(repository.registry, name, error),
    }
    return { places: [...places, ...elsewhere], observer }
  }

  distrust(repository: Repository, digest: Digest): boolean {
    return this.#trust.distrust(keyOf(repository, digest))
  }

  #report(registry: string, name: string, error: LayerStoreError): void {
    if (name === registry) return
    const reason = error instanceof RegistryError ? error.code : String((error as { code?: unknown }).code)
    this.#onEvent?.({ type: 'mirror-failed', registry, mirror: name, reason })
  }
}

function keyOf({ registry, repository }: Repository, digest: Digest): string {
  return `${registry}/${repository}@${digest}`
}
