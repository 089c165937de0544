import { type Digest, isDigest } from '../../../digest/index.ts'
import { LayerStoreError } from '../../../errors/index.ts'
import {
  type Descriptor,
  formatPlatform,
  formatReference,
  type ImageDocument,
  isDocumentRole,
  parseConfig,
  parseImageDocument,
  platformOfConfig,
  remoteLayersOf,
  walkGraph,
} from '../../../oci/index.ts'
import { findDocument, type NamedDescriptor, type Store } from '../../../store/index.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import type { Session } from '../../session/session.ts'

/** One row of `images`. */
interface ImageRow {
  readonly name: string
  readonly digest: string
  readonly mediaType: string
  readonly platforms: readonly string[]
  /** Bytes of the configs, layers and other content that the name reaches, summed over all platforms in the store. */
  readonly size: number
  /** Layers that are not in the store, because the base was not pulled, and the repositories that hold them. */
  readonly remote?: { readonly bytes: number; readonly from: readonly string[] }
  /** Reason why the image could not be read. */
  readonly error?: { readonly code: string; readonly message: string }
}

/** `images`: lists the names in the store. */
export async function images(session: Session): Promise<void> {
  const store = await session.store({ create: false })
  const rows: ImageRow[] = []
  try {
    for await (const named of store.references.list({ signal: session.signal })) rows.push(await rowOf(store, named))
  } finally {
    // Print the readable names before throwing the error of an unreadable one.
    if (!session.signal.aborted) show(session, rows)
  }
}

function show(session: Session, rows: readonly ImageRow[]): void {
  for (const { name, error, remote } of rows) {
    if (error) session.note(`warning: ${name}: ${error.message} (${error.code})`)
    if (remote) session.note(`${name}: ${formatBytes(remote.bytes)} of it are in ${remote.from}, not in the store`)
  }
  const cells = rows.map(row => [
    row.name,
    row.digest.slice(0, 19),
    row.platforms.join(', ') || (row.error ? '?' : '-'),
    row.error ? '?' : formatBytes(row.size),
  ])
  session.result(session.table(['NAME', 'DIGEST', 'PLATFORM', 'SIZE'], cells), rows)
}

/**
 * Builds the row of one name. An unreadable image becomes a row with an error, so that the rest of the list is still
 * printed.
 */
async function rowOf(store: Store, { name, descriptor }: NamedDescriptor): Promise<ImageRow> {
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
async function sumUp(store: Store, root: Descriptor): Promise<Pick<ImageRow, 'platforms' | 'size' | 'remote'>> {
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
  const platforms: string[] = []
  for (const document of documents.values()) {
    if (document.kind === 'manifest') platforms.push(...(await platformOf(store, document.manifest.config)))
  }
  const size = [...blobs.values()].reduce((sum, size) => sum + size, 0)
  return { platforms, size, ...(await remoteIn(store, root, blobs)) }
}

/** Sums up the layers that the store lacks and the name says to be in a registry. */
async function remoteIn(
  store: Store,
  root: Descriptor,
  blobs: ReadonlyMap<Digest, number>,
): Promise<Pick<ImageRow, 'remote'>> {
  const from = remoteLayersOf(root).map(formatReference)
  if (from.length === 0) return {}
  let bytes = 0
  for (const [digest, size] of blobs) if (isDigest(digest) && !(await store.stat(digest))) bytes += size
  return bytes > 0 ? { remote: { bytes, from } } : {}
}

async function platformOf(store: Store, config: Descriptor): Promise<string[]> {
  try {
    const bytes = await findDocument(store, config)
    const platform = bytes && platformOfConfig(parseConfig(bytes))
    // BuildKit and cosign write attestations and signatures with an image config that has no real platform.
    return platform && platform.os !== 'unknown' ? [formatPlatform(platform)] : []
  } catch {
    // An artifact has a config of another media type, and no platform.
    return []
  }
}
