import type { ImageFault } from '../../../inspect/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
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
  const { blobs, name: found } = await openImage(session, name)
  const validation = await validateImage(blobs, found, { platform, signal, hasher })
  const { faults, images, blobs: count, bytes, valid } = validation
  session.note(`${images} ${images === 1 ? 'image' : 'images'}, ${count} blobs, ${formatBytes(bytes)} read`)
  session.result(faults.length > 0 ? faults.map(lineOf) : `${name} is valid`, { name, ...validation })
  if (!valid || (options.strict && faults.length > 0)) session.exit = 1
}

function lineOf({ severity, at, code, message }: ImageFault): string {
  return `${severity}: ${at}: ${message} (${code})`
}
