import { readFile } from 'node:fs/promises'
import { readImage } from '../../../image/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import type { Advisory, AdvisoryMatch, FoundPackage, PackageList, Severity } from '../../../trust/index.ts'
import { fileFault } from '../../failing/file-fault.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `check`. */
export interface CheckCommandOptions extends PlatformOption {
  readonly db?: readonly string[]
  readonly vex?: readonly string[]
  readonly severity?: string
}

const SYSTEMS: readonly FoundPackage['type'][] = ['deb', 'apk', 'rpm']
const LEVELS: readonly Severity[] = ['unknown', 'low', 'medium', 'high', 'critical']

/**
 * `check NAME --db DIR…`: prints the packages of an image that advisories are about, and ends with 1 if one of at least
 * `--severity` is left that no VEX document clears.
 */
export async function check(session: Session, name: string, options: CheckCommandOptions): Promise<void> {
  const { db = [], severity = 'unknown' } = options
  const least = LEVELS.indexOf(severity as Severity)
  if (db.length === 0) throw new UsageError('--db DIR is required: a directory with advisories, as OSV publishes them')
  if (least < 0) throw new UsageError(`--severity is one of ${LEVELS.join(', ')}, not ${JSON.stringify(severity)}`)
  const { matchAdvisories, readAdvisories, readPackages, uncheckedPackages } = await import('../../../trust/index.ts')
  const vex = await Promise.all((options.vex ?? []).map(readVex))
  const { signal, hasher } = session
  const { blobs, name: found, isRemote } = await openImage(session, name)
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const image = await readImage(blobs, found, { platform, signal })
  if (!isRemote) await refuseMissingLayers(blobs, image, signal)
  const list = await readPackages(blobs, image, { signal, hasher })
  for (const { path, reason } of list.unread) session.note(`not read: ${path}: ${reason}`)
  const ecosystems = new Set<string>()
  const matches: AdvisoryMatch[] = []
  for (const directory of db) {
    const advisories = notingEcosystems(readAdvisories(directory, { signal }), ecosystems)
    matches.push(...(await matchAdvisories(list, advisories, { vex })))
  }
  noteUnchecked(session, list, uncheckedPackages(list, ecosystems))
  const failing = matches.filter(each => !each.isSuppressed && LEVELS.indexOf(each.severity) >= least)
  print(session, name, matches, failing.length)
  if (failing.length > 0) session.exit = 1
}

async function* notingEcosystems(advisories: AsyncIterable<Advisory>, into: Set<string>): AsyncGenerator<Advisory> {
  for await (const advisory of advisories) {
    for (const { ecosystem } of advisory.affected) into.add(ecosystem)
    yield advisory
  }
}

/** SAFETY: a gate that has no advisories for a system would seem to pass its packages. */
function noteUnchecked(session: Session, { os }: PackageList, unchecked: readonly FoundPackage[]): void {
  for (const type of new Set(unchecked.map(one => one.type))) {
    const count = unchecked.filter(one => one.type === type).length
    const system = os && SYSTEMS.includes(type) ? ` of ${os.id} ${os.version ?? ''}`.trimEnd() : ''
    const counted = `${count} ${count === 1 ? 'package' : 'packages'} (${type})${system}`
    session.note(`not checked: ${counted}: no directory of --db has advisories for them`)
  }
}

async function readVex(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    const { matchAdvisories } = await import('../../../trust/index.ts')
    // A document of another form is refused before the image is read.
    await matchAdvisories({ version: 1, digest: 'sha256:' as never, packages: [], unread: [] }, [], { vex: [text] })
    return text
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall !== undefined) throw fileFault('--vex', path, cause)
    throw new UsageError(`--vex ${JSON.stringify(path)} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

function print(session: Session, name: string, matches: readonly AdvisoryMatch[], failing: number): void {
  const rows = matches.map(({ severity, id, package: { name: of, version }, fixed, isSuppressed }) => [
    severity,
    id,
    of,
    version,
    isSuppressed ? 'cleared by VEX' : fixed.join(', ') || '-',
  ])
  session.note(`${matches.length} advisories match, ${failing} count`)
  session.result(session.table(['SEVERITY', 'ADVISORY', 'PACKAGE', 'VERSION', 'FIXED'], rows), {
    name,
    failing,
    matches,
  })
}
