import { type UnpackReport, unpackImage } from '../../rootfs/index.ts'
import { parsePlatform } from '../../spec/index.ts'
import { formatBytes } from '../format-bytes.ts'
import type { Session } from '../session.ts'
import type { PlatformOption } from './inspect.ts'

/** Options of `unpack`. */
export interface UnpackCommandOptions extends PlatformOption {
  readonly rootless?: boolean
  readonly overwrite?: boolean
}

/** Details that are told one by one; `--json` has all. */
const SHOWN = 20

/** `unpack NAME DIR`: writes the root filesystem of a stored image to a directory. */
export async function unpack(
  session: Session,
  name: string,
  directory: string,
  options: UnpackCommandOptions,
): Promise<void> {
  const store = await session.store()
  const report = await unpackImage(store, name, directory, {
    platform: options.platform ? parsePlatform(options.platform) : undefined,
    rootless: options.rootless,
    overwrite: options.overwrite,
    hasher: session.hasher,
    signal: session.signal,
    onLeft: paths => session.note(`left behind: ${paths.map(path => JSON.stringify(path)).join(', ')}`),
  })
  for (const { path, what, reason } of report.skipped.slice(0, SHOWN)) {
    session.note(`${what} of ${JSON.stringify(path)}: ${reason}`)
  }
  if (report.skipped.length > SHOWN) session.note(`and ${report.skipped.length - SHOWN} more; --json lists all`)
  session.result(describe(report), report)
}

function describe({ files, directories, links, devices, bytes, skipped }: UnpackReport): string {
  const made = `${files} files (${formatBytes(bytes)}), ${directories} directories, ${links} links, ${devices} devices`
  return skipped.length > 0 ? `${made}; ${skipped.length} details left out` : made
}
