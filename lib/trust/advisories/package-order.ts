import type { FoundPackage, OsRelease, PackageType } from '../sbom/package-list.ts'
import { compareApk } from './compare-apk.ts'
import { compareDeb } from './compare-deb.ts'
import { comparePep440 } from './compare-pep440.ts'
import { compareSemver } from './compare-semver.ts'

/** Compares two versions: negative if the first is earlier. */
export type CompareVersions = (a: string, b: string) => number

/** Orders of versions; a kind without one is matched by listed versions alone. */
export const ORDERS: Readonly<Partial<Record<PackageType, CompareVersions>>> = {
  deb: compareDeb,
  apk: compareApk,
  npm: compareSemver,
  golang: compareSemver,
  pypi: comparePep440,
}

const ECOSYSTEMS: Readonly<Record<string, PackageType>> = { npm: 'npm', PyPI: 'pypi', Go: 'golang', Maven: 'maven' }

/** Name and version under which advisories know a package: systems name the source package. */
export function advisedName({ type, name, version, source }: FoundPackage): { name: string; version: string } {
  if (type === 'pypi') return { name: name.toLowerCase().replace(/[-_.]+/g, '-'), version }
  if (type === 'golang') return { name, version: version.replace(/^v/, '') }
  return source ?? { name, version }
}

/** True if an ecosystem of OSV is that of a package of a system. */
export function isEcosystemOf(ecosystem: string, { type }: FoundPackage, os: OsRelease | undefined): boolean {
  const [name = '', release] = ecosystem.split(':')
  if (ECOSYSTEMS[name]) return ECOSYSTEMS[name] === type
  const version = os?.version
  if (name === 'Alpine') {
    return (
      type === 'apk' && (release === undefined || `v${version}`.startsWith(`${release}.`) || `v${version}` === release)
    )
  }
  if (type !== 'deb' || name.toLowerCase() !== os?.id) return false
  return release === undefined || release === version || (name === 'Debian' && version?.split('.')[0] === release)
}
