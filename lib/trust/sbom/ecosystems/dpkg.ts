import { parseParagraphs } from './parse-fields.ts'
import type { StatedPackage } from './stated-package.ts'

/** Database of dpkg. */
export const DPKG_STATUS = 'var/lib/dpkg/status'
/** Directory with a record for each package, in images without dpkg. */
export const DPKG_STATUS_DIRECTORY = 'var/lib/dpkg/status.d'

/** States in which the files of a package are not there. */
const ABSENT = ['not-installed', 'config-files']

/**
 * Parses records of dpkg. Packages that were removed and left their configuration are not listed. A record without a
 * status, as in `status.d`, is that of an installed package.
 *
 * @see {@link https://www.debian.org/doc/debian-policy/ch-controlfields.html | Debian Policy: control files}
 */
export function parseDpkg(text: string): StatedPackage[] {
  return parseParagraphs(text).flatMap(fields => {
    const [name, version, status] = [fields.get('Package'), fields.get('Version'), fields.get('Status')]
    if (!name || !version || ABSENT.includes(status?.split(/\s+/)[2] ?? '')) return []
    const [, source, built] = fields.get('Source')?.match(/^(\S+)(?: \((.+)\))?/) ?? []
    const architecture = fields.get('Architecture')
    return [{ name, version, architecture, ...(source ? { source: { name: source, version: built ?? version } } : {}) }]
  })
}
