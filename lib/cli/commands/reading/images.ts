import { type Digest, isDigest } from '../../../digest/index.ts'
import { LayerStoreError } from '../../../errors/index.ts'
import { Semaphore } from '../../../internal/concurrency/semaphore.ts'
import { forManyListeners } from '../../../internal/for-many-listeners.ts'
import { settleAll } from '../../../internal/settle-all.ts'
import {
  type Descriptor,
  formatPlatform,
  formatReference,
  type ImageConfig,
  type ImageDocument,
  isDocumentRole,
  parseConfig,
  parseImageDocument,
  platformOfConfig,
  remoteLayersOf,
  walkGraph,
} from '../../../oci/index.ts'
import { findDocument, type NamedDescriptor, type Store } from '../../../store/index.ts'
import { imageFilter } from '../../inspecting/image-filters.ts'
import { IMAGE_HEADINGS, imageRows } from '../../inspecting/image-rows.ts'
import type { ListedImage } from '../../inspecting/listed-image.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { formatTemplate } from '../../printing/format-template.ts'
import type { Session } from '../../session/session.ts'

/** Options of `images`. */
export interface ImagesOptions {
  readonly filter?: readonly string[]
  /** `false` with `--no-trunc`. */
  readonly trunc?: boolean
  readonly digests?: boolean
  readonly format?: string
}

/** `images [PATTERN]`: lists the names in the store. With `--quiet` it prints the digests only. */
export async function images(session: Session, pattern: string | undefined, options: ImagesOptions): Promise<void> {
  const isListed = imageFilter(pattern, options.filter ?? [])
  const store = await session.storeIfAny()
  // As on a new machine: `docker images` prints an empty list there.
  if (!store) session.note(`there is no store in ${session.storeName} yet: "layerstore pull" or "build" creates it`)
  const names: NamedDescriptor[] = []
  try {
    for await (const named of store?.references.list({ signal: session.signal }) ?? []) names.push(named)
  } finally {
    // Print the readable names before throwing the error of an unreadable one.
    if (!session.signal.aborted) {
      const all = store ? await rowsOf(session, store, names) : []
      const listed = all.filter(image => isListed(image, all))
      if (store && pattern !== undefined && listed.length === 0) session.note(nothingFound(pattern))
      show(session, listed, options)
    }
  }
}

/** `crane ls REPOSITORY` lists what is in a registry. */
function nothingFound(pattern: string): string {
  return `nothing in the store matches ${pattern}; "layerstore tags REPOSITORY" lists what is in a registry`
}

async function rowsOf(
  { jobs, signal }: Session,
  store: Store,
  names: readonly NamedDescriptor[],
): Promise<readonly ListedImage[]> {
  const permits = new Semaphore(jobs)
  const stop = forManyListeners(signal)
  return settleAll(
    names.map(async named => {
      const release = await permits.acquire(stop)
      return rowOf(store, named).finally(release)
    }),
  )
}

function show(session: Session, rows: readonly ListedImage[], options: ImagesOptions): void {
  for (const { name, error, remote } of rows) {
    if (error) session.note(`warning: ${name}: ${error.message} (${error.code})`)
    if (remote) session.note(`${name}: ${formatBytes(remote.bytes)} of it are in ${remote.from}, not in the store`)
  }
  const digests = [...new Set(rows.map(row => row.digest))]
  if (session.json || (session.quiet && options.format === undefined)) session.result(digests, rows)
  else session.raw(Buffer.from(tableOf(rows, options)))
}

function tableOf(rows: readonly ListedImage[], { format = 'table', trunc, digests }: ImagesOptions): string {
  const full = trunc === false || digests === true
  const listed = imageRows(rows, { full, fullDigests: full || format !== 'table', now: new Date() })
  const columns = '{{.Name}}\t{{.Digest}}\t{{.Platform}}\t{{.Size}}'
  return formatTemplate(format === 'table' ? `table ${columns}` : format, listed, IMAGE_HEADINGS)
}

/**
 * Builds the row of one name. An unreadable image becomes a row with an error, so that the rest of the list is still
 * printed.
 */
async function rowOf(store: Store, { name, descriptor }: NamedDescriptor): Promise<ListedImage> {
  const row = { name, digest: descriptor.digest, mediaType: descriptor.mediaType }
  try {
    return { ...row, ...(await sumUp(store, descriptor)) }
  } catch (error) {
    if (!LayerStoreError.is(error) || error.code === 'ERR_STORE_CLOSED') throw error
    const { code, message } = error
    return { ...row, platforms: [], size: 0, error: { code, message } }
  }
}

/**
 * Sums up the platforms and the size of a name. Names set by skopeo or buildah may refer to any content and to
 * incomplete images; missing blobs count as 0 bytes.
 */
async function sumUp(
  store: Store,
  root: Descriptor,
): Promise<Pick<ListedImage, 'platforms' | 'size' | 'created' | 'labels' | 'remote'>> {
  const documents = new Map<Digest, ImageDocument>()
  const nodes = await walkGraph(root, {
    see: async ({ descriptor, role }) => {
      if (!isDocumentRole(role)) return true
      const bytes = isDigest(descriptor.digest) ? await findDocument(store, descriptor) : undefined
      if (bytes) documents.set(descriptor.digest, parseImageDocument(bytes, descriptor.mediaType))
      return bytes !== undefined
    },
    read: async ({ descriptor }) => documents.get(descriptor.digest) as ImageDocument,
  })
  const blobs = new Map(nodes.map(({ descriptor }) => [descriptor.digest, descriptor.size]))
  for (const digest of documents.keys()) blobs.delete(digest)
  const configs: ImageConfig[] = []
  for (const document of documents.values()) {
    if (document.kind === 'manifest') configs.push(...(await configOf(store, document.manifest.config)))
  }
  const platforms = configs.map(config => formatPlatform(platformOfConfig(config)!))
  const created = configs
    .flatMap(config => config.created ?? [])
    .sort()
    .at(-1)
  const labels = Object.assign({}, ...configs.map(config => config.config?.Labels ?? {}))
  const size = [...blobs.values()].reduce((sum, size) => sum + size, 0)
  const told = { ...(created ? { created } : {}), ...(Object.keys(labels).length > 0 ? { labels } : {}) }
  return { platforms, size, ...told, ...(await remoteIn(store, root, blobs)) }
}

/** Sums up the layers that the store lacks and the name says to be in a registry. */
async function remoteIn(
  store: Store,
  root: Descriptor,
  blobs: ReadonlyMap<Digest, number>,
): Promise<Pick<ListedImage, 'remote'>> {
  const from = remoteLayersOf(root).map(formatReference)
  if (from.length === 0) return {}
  let bytes = 0
  for (const [digest, size] of blobs) if (isDigest(digest) && !(await store.stat(digest))) bytes += size
  return bytes > 0 ? { remote: { bytes, from } } : {}
}

/** The config of an image that has a platform. */
async function configOf(store: Store, descriptor: Descriptor): Promise<ImageConfig[]> {
  try {
    const bytes = await findDocument(store, descriptor)
    const config = bytes && parseConfig(bytes)
    const platform = config && platformOfConfig(config)
    // BuildKit and cosign write attestations and signatures with an image config that has no real platform.
    return config && platform && platform.os !== 'unknown' ? [config] : []
  } catch {
    // An artifact has a config of another media type, and no platform.
    return []
  }
}
