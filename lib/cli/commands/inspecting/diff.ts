import { readImage } from '../../../image/index.ts'
import { diffImages } from '../../../inspect/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { diffLines } from '../../inspecting/diff-lines.ts'
import { openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `diff`. */
export interface DiffOptions extends PlatformOption {
  /** `false` with `--no-files`. */
  readonly files: boolean
  /** `false` with `--no-times`. */
  readonly times: boolean
  readonly exitCode?: boolean
}

/** `diff A B`: compares two images, in the store or elsewhere. */
export async function diff(
  session: Session,
  before: string,
  after: string | undefined,
  options: DiffOptions,
): Promise<void> {
  if (after === undefined) {
    const { containerChanges } = await import('../running/container-changes.ts')
    return containerChanges(session, before)
  }
  const { signal, hasher } = session
  const files = options.files !== false
  const [lower, upper] = [await locate(session, before, options), await locate(session, after, options)]
  const ignore = options.times === false ? (['mtime'] as const) : []
  const found = await diffImages(lower, upper, { files, ignore, signal, hasher })
  session.result(diffLines(found), { names: [before, after], ...found })
  if (options.exitCode && !found.equal) session.exit = 1
}

async function locate(session: Session, name: string, options: DiffOptions) {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal } = session
  const { blobs, name: found, isRemote } = await openImage(session, name)
  const image = await readImage(blobs, found, { platform, signal })
  if (!isRemote && options.files !== false) await refuseMissingLayers(blobs, image, signal)
  return { store: blobs, image }
}
