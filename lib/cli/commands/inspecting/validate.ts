import type { ImageFault } from '../../../inspect/index.ts'
import { formatReference, parsePlatform, remoteLayersOf } from '../../../oci/index.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import type { ImageBlobs } from '../../reading/image-blobs.ts'
import { openImage } from '../../reading/open-image.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `validate`. */
export interface ValidateOptions extends PlatformOption {
  readonly strict?: boolean
}

/**
 * `validate NAME`: reads an image, an index or an artifact from end to end, prints a line for each fault, and ends with
 * 1 if there are errors.
 */
export async function validate(session: Session, name: string, options: ValidateOptions): Promise<void> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal, hasher } = session
  const { validateImage } = await import('../../../inspect/index.ts')
  const { blobs, name: found, isRemote } = await openImage(session, name)
  const validation = await validateImage(blobs, found, { platform, signal, hasher })
  const faults = isRemote ? validation.faults : await withSource(blobs, found, validation.faults)
  const { images, blobs: count, bytes, valid } = validation
  session.note(`${images} ${images === 1 ? 'image' : 'images'}, ${count} blobs, ${formatBytes(bytes)} read`)
  session.result(faults.length > 0 ? faults.map(lineOf) : `${name} is valid`, { name, ...validation, faults })
  if (!valid || (options.strict && faults.length > 0)) session.exit = 1
}

/** Says of each missing layer where an image that was put on a base which was not pulled has it. */
async function withSource(
  blobs: ImageBlobs,
  name: string,
  faults: readonly ImageFault[],
): Promise<readonly ImageFault[]> {
  if (!faults.some(({ code }) => code === 'ERR_BLOB_NOT_FOUND')) return faults
  const root = await blobs.references.get(name)
  const [source] = root ? remoteLayersOf(root) : []
  if (!source) return faults
  const left = `it was left in ${formatReference(source)}; pull it from there first`
  return faults.map(fault => {
    const isLayer = fault.code === 'ERR_BLOB_NOT_FOUND' && /\blayer \d+$/.test(fault.at)
    return isLayer ? { ...fault, message: `${fault.message}: ${left}` } : fault
  })
}

function lineOf({ severity, at, code, message }: ImageFault): string {
  return `${severity}: ${at}: ${message} (${code})`
}
