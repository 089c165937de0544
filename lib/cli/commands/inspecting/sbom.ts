import { readImage } from '../../../image/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import type { FoundPackage, PackageList, PackagesDiff } from '../../../trust/index.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { splitPrefix } from '../../places/name-place.ts'
import { openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `sbom`. */
export interface SbomCommandOptions extends PlatformOption {
  readonly format?: string
  readonly diff?: string
  readonly attach?: boolean
  readonly attest?: boolean
  /** Type of an existing document; `true` lists them. */
  readonly existing?: string | true
}

/** `sbom NAME`: lists the packages of an image as a table or a document, or compares them with those of another. */
export async function sbom(session: Session, name: string, options: SbomCommandOptions): Promise<void> {
  const { format = 'table' } = options
  if (!['table', 'spdx', 'cyclonedx'].includes(format)) {
    throw new UsageError(`--format is table, spdx or cyclonedx, not ${JSON.stringify(format)}`)
  }
  if (options.diff !== undefined && format !== 'table')
    throw new UsageError('--diff prints a table, or JSON with --json')
  assertOne(options)
  if (options.existing !== undefined) {
    return (await import('./existing-sboms.ts')).existingSboms(session, name, options.existing)
  }
  const list = await read(session, name, options)
  // Documents and registries know no prefix of this program.
  const { name: plain } = splitPrefix(name)
  if (options.attach || options.attest) {
    const { attachSbom } = await import('./attach-sbom.ts')
    noteUnread(session, list)
    const document = { format: format === 'cyclonedx' ? format : 'spdx', isStatement: options.attest ?? false } as const
    return attachSbom(session, plain, list, document)
  }
  if (options.diff !== undefined)
    return printDiff(session, [options.diff, name], await read(session, options.diff, options), list)
  if (format === 'table') return print(session, name, list)
  const { toCycloneDx, toSpdx } = await import('../../../trust/index.ts')
  const document = (format === 'spdx' ? toSpdx : toCycloneDx)(list, { name: plain })
  noteUnread(session, list)
  session.raw(Buffer.from(`${JSON.stringify(document, null, 2)}\n`))
}

/** Each of these options prints something of its own. */
function assertOne({ diff, attach, attest, existing }: SbomCommandOptions): void {
  const given = Object.entries({ diff, attach, attest, existing }).filter(([, value]) => value !== undefined)
  if (given.length < 2) return
  throw new UsageError(`${given.map(([name]) => `--${name}`).join(' and ')} cannot be used together`)
}

async function read(session: Session, name: string, options: SbomCommandOptions): Promise<PackageList> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal, hasher } = session
  const { readPackages } = await import('../../../trust/index.ts')
  const { blobs, name: found, isRemote } = await openImage(session, name)
  const image = await readImage(blobs, found, { platform, signal })
  if (!isRemote) await refuseMissingLayers(blobs, image, signal)
  return readPackages(blobs, image, { signal, hasher })
}

function print(session: Session, name: string, list: PackageList): void {
  noteUnread(session, list)
  const rows = list.packages.map(({ type, name: of, version, license, layer }) => [
    type,
    of,
    version,
    license ?? '',
    String(layer + 1),
  ])
  session.result(session.table(['TYPE', 'NAME', 'VERSION', 'LICENSE', 'LAYER'], rows), { name, ...list })
}

function noteUnread(session: Session, { unread }: PackageList): void {
  for (const { path, reason } of unread) session.note(`not read: ${path}: ${reason}`)
}

async function printDiff(
  session: Session,
  names: readonly string[],
  older: PackageList,
  newer: PackageList,
): Promise<void> {
  const { diffPackages } = await import('../../../trust/index.ts')
  const found: PackagesDiff = diffPackages(older, newer)
  noteUnread(session, newer)
  const row = (sign: string, { type, name, version }: FoundPackage) => [sign, type, name, version]
  const rows = [
    ...found.removed.map(each => row('-', each)),
    ...found.added.map(each => row('+', each)),
    ...found.changed.map(({ type, name, before, after, direction }) => [
      '~',
      type,
      name,
      `${before.join(', ') || '-'} -> ${after.join(', ') || '-'}${direction ? ` (${direction})` : ''}`,
    ]),
  ]
  session.result(session.table(['', 'TYPE', 'NAME', 'VERSION'], rows), { names, ...found })
}
