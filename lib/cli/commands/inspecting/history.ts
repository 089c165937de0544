import { BlobNotFoundError } from '../../../errors/index.ts'
import { type Image, readImage } from '../../../image/index.ts'
import { readHistory } from '../../../inspect/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { HISTORY_HEADINGS, historyRows } from '../../inspecting/history-rows.ts'
import { formatTemplate } from '../../printing/format-template.ts'
import type { ImageBlobs } from '../../reading/image-blobs.ts'
import { openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `history`. */
export interface HistoryOptions extends PlatformOption {
  /** `false` with `--no-trunc`. */
  readonly trunc: boolean
  /** `false` with `--no-human`. */
  readonly human: boolean
  readonly format?: string
}

/**
 * `history NAME`: lists the steps of an image with the layer of each, as `docker history` does. If layers are in a
 * registry, they are not read, and all sizes are those of the blobs.
 */
export async function history(session: Session, name: string, options: HistoryOptions): Promise<void> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal, hasher } = session
  const { blobs, name: found, isRemote } = await openImage(session, name)
  const image = await readImage(blobs, found, { platform, signal })
  const sizes = !isRemote && (await hasLayers(blobs, image, signal))
  const steps = await readHistory(blobs, image, { sizes, signal, hasher })
  const id = image.manifest.config.digest
  if (session.json) return session.result([], { name, digest: image.descriptor.digest, id, steps: steps.toReversed() })
  if (!sizes) session.note('sizes are those of the compressed layers, which are in a registry')
  const style = { full: options.trunc === false, human: options.human !== false, now: new Date() }
  const rows = historyRows(steps, id, style)
  const columns = '{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}'
  const isPlain = options.format === undefined || options.format === 'table'
  const format = isPlain ? (session.quiet ? '{{.ID}}' : `table ${columns}`) : options.format
  session.raw(Buffer.from(formatTemplate(format, rows, HISTORY_HEADINGS)))
}

/** False if layers of a base that was not pulled are in a registry. */
async function hasLayers(blobs: ImageBlobs, image: Image, signal: AbortSignal): Promise<boolean> {
  try {
    await refuseMissingLayers(blobs, image, signal)
    return true
  } catch (error) {
    if (error instanceof BlobNotFoundError && error.source) return false
    throw error
  }
}
