import { type Image, readImage } from '../../image/index.ts'
import { parsePlatform } from '../../oci/index.ts'
import { type SkippedDetail, type UnpackOptions, type UnpackReport, unpackImage } from '../../rootfs/index.ts'
import { parseAmount } from '../parse-amount.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'
import type { PlatformOption } from './inspect.ts'

/** Options of `unpack`. */
export interface UnpackCommandOptions extends PlatformOption {
  readonly rootless?: boolean
  readonly overwrite?: boolean
  readonly layers?: string
  readonly whiteouts?: string
  readonly devices?: string
  readonly keepSetId?: boolean
}

/** Number of details that are printed; `--json` has all. */
const SHOWN = 20

/** `unpack NAME DIR`: writes the root filesystem of a stored image to a directory. */
export async function unpack(
  session: Session,
  name: string,
  directory: string,
  options: UnpackCommandOptions,
): Promise<void> {
  const { signal, hasher } = session
  const how = unpackOptions(options)
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const store = await session.store({ create: false })
  const image = lowestLayers(await readImage(store, name, { platform, signal }), options.layers)
  const report = await unpackImage(store, image, directory, {
    ...how,
    hasher,
    signal,
    onLeft: paths => {
      session.left = paths
    },
  })
  // Without root nearly every path has a skipped owner: sort those last, so that they do not hide other details.
  const isOwner = ({ what }: SkippedDetail) => Number(what === 'owner')
  const skipped = [...report.skipped].sort((a, b) => isOwner(a) - isOwner(b))
  for (const { path, what, reason } of skipped.slice(0, SHOWN)) {
    session.note(`${what} of ${JSON.stringify(path)}: ${reason}`)
  }
  if (report.skipped.length > SHOWN) session.note(`and ${report.skipped.length - SHOWN} more; --json lists all`)
  session.result(describe(report), report)
}

function unpackOptions({ rootless, overwrite, keepSetId, whiteouts, devices }: UnpackCommandOptions): UnpackOptions {
  return {
    rootless,
    overwrite,
    keepSetId,
    whiteouts: oneOf('--whiteouts', whiteouts, ['apply', 'overlayfs']),
    devices: oneOf('--devices', devices, ['create', 'skip', 'error']),
  }
}

function oneOf<T extends string>(option: string, value: string | undefined, choices: readonly T[]): T | undefined {
  const chosen = choices.find(choice => choice === value)
  if (value !== undefined && chosen === undefined) {
    throw new UsageError(`${option} takes ${choices.join(' or ')}, not ${JSON.stringify(value)}`)
  }
  return chosen
}

function lowestLayers(image: Image, wanted: string | undefined): Image {
  if (wanted === undefined) return image
  const count = parseAmount('--layers', wanted, 'count')
  if (count > image.layers.length) {
    throw new UsageError(`--layers ${count}: the image has ${image.layers.length}`)
  }
  return { ...image, layers: image.layers.slice(0, count) }
}

function describe({ files, directories, links, devices, bytes, skipped }: UnpackReport): string {
  const made = [
    `${count(files, 'file')} (${formatBytes(bytes)})`,
    count(directories, 'directory', 'directories'),
    count(links, 'link'),
    count(devices, 'device'),
  ].join(', ')
  return skipped.length > 0 ? `${made}; ${count(skipped.length, 'detail')} left out` : made
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
