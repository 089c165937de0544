import { type Image, readImage } from '../../../image/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { type SkippedDetail, type UnpackOptions, type UnpackReport, unpackImage } from '../../../rootfs/index.ts'
import { parseAmount } from '../../amounts/parse-amount.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { nameInStore } from '../../places/name-place.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from '../reading/inspect.ts'

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
  notEmpty(directory, 'the name of the directory')
  const { signal, hasher } = session
  const how = unpackOptions(options)
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const store = await session.store({ create: false })
  const image = lowestLayers(await readImage(store, nameInStore(name), { platform, signal }), options.layers)
  await refuseMissingLayers(store, image, signal)
  const report = await unpackImage(store, image, directory, {
    ...how,
    hasher,
    signal,
    onLeft: paths => {
      session.left = paths
    },
  })
  for (const line of skippedLines(report.skipped)) session.note(line)
  session.result(describe(report), report)
}

/** Without root nearly every path has a skipped owner: those are one line, so that they do not hide other details. */
function skippedLines(skipped: readonly SkippedDetail[]): string[] {
  const others = skipped.filter(({ what }) => what !== 'owner')
  const owners = skipped.length - others.length
  const lines = others.slice(0, SHOWN).map(({ path, what, reason }) => `${what} of ${JSON.stringify(path)}: ${reason}`)
  if (others.length > SHOWN) lines.push(`and ${others.length - SHOWN} more; --json lists all`)
  if (owners > 0) lines.push(`owners of ${count(owners, 'path')} not applied (needs root); --json lists them`)
  return lines
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
    throw new UsageError(
      `${option} takes ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}; got ${JSON.stringify(value)}`,
    )
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
  const owners = skipped.filter(({ what }) => what === 'owner').length
  const others = skipped.length - owners
  const left = [
    ...(owners > 0 ? [count(owners, 'owner')] : []),
    ...(others > 0 ? [count(others, owners > 0 ? 'other detail' : 'detail')] : []),
  ]
  return left.length > 0 ? `${made}; ${left.join(' and ')} not applied` : made
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
