import { type Descriptor, formatPlatform, parseConfig, parseImageDocument, platformOfConfig } from '../../spec/index.ts'
import { findDocument, type Store } from '../../store/index.ts'
import { formatBytes } from '../format-bytes.ts'
import { formatTable } from '../format-table.ts'
import type { Session } from '../session.ts'

/** What `images` says of one name. */
interface ImageRow {
  readonly name: string
  readonly digest: string
  readonly mediaType: string
  readonly platforms: readonly string[]
  /** Bytes of the config and the layers, of all platforms that are there. */
  readonly size: number
}

/** `images`: lists the names in the store. */
export async function images(session: Session): Promise<void> {
  const store = await session.store()
  const rows: ImageRow[] = []
  for await (const { name, descriptor } of store.references.list({ signal: session.signal })) {
    rows.push({ name, digest: descriptor.digest, mediaType: descriptor.mediaType, ...(await sumUp(store, descriptor)) })
  }
  const cells = rows.map(row => [
    row.name,
    row.digest.slice(0, 19),
    row.platforms.join(', ') || '-',
    formatBytes(row.size),
  ])
  session.result(formatTable(['NAME', 'DIGEST', 'PLATFORM', 'SIZE'], cells), rows)
}

/** Names of other tools may stand for anything, and for incomplete images: what is not there counts as nothing. */
async function sumUp(store: Store, descriptor: Descriptor): Promise<{ platforms: string[]; size: number }> {
  const bytes = await findDocument(store, descriptor)
  if (!bytes) return { platforms: [], size: 0 }
  const document = parseImageDocument(bytes, descriptor.mediaType)
  if (document.kind === 'index') {
    const parts = await Promise.all(document.index.manifests.map(manifest => sumUp(store, manifest)))
    return {
      platforms: parts.flatMap(part => part.platforms),
      size: parts.reduce((sum, part) => sum + part.size, 0),
    }
  }
  const { config, layers } = document.manifest
  const size = [config, ...layers].reduce((sum, blob) => sum + blob.size, 0)
  return { platforms: await platformOf(store, config), size }
}

async function platformOf(store: Store, config: Descriptor): Promise<string[]> {
  try {
    const bytes = await findDocument(store, config)
    const platform = bytes && platformOfConfig(parseConfig(bytes))
    return platform ? [formatPlatform(platform)] : []
  } catch {
    // An artifact has a config of another kind, and no platform.
    return []
  }
}
