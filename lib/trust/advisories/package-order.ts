import type { FoundPackage, OsRelease, PackageType } from '../sbom/package-list.ts'
import { compareApk } from './compare-apk.ts'
import { compareDeb } from './compare-deb.ts'
import { comparePep440 } from './compare-pep440.ts'
import { compareRpm, compareRpmWithoutEpoch } from './compare-rpm.ts'
import { compareSemver } from './compare-semver.ts'
import { isRpmEcosystem } from './rpm-ecosystem.ts'

/** Compares two versions: negative if the first is earlier. */
export type CompareVersions = (a: string, b: string) => number

/** A name and a version under which advisories may know a package. */
export interface AdvisedPackage {
  readonly name: string
  readonly version: string
  /** Order of its versions; without one it is matched by listed versions alone. */
  readonly compare?: CompareVersions | undefined
}

/** Orders of versions; a kind without one is matched by listed versions alone. */
export const ORDERS: Readonly<Partial<Record<PackageType, CompareVersions>>> = {
  deb: compareDeb,
  apk: compareApk,
  rpm: compareRpm,
  npm: compareSemver,
  golang: compareSemver,
  pypi: comparePep440,
}

const ECOSYSTEMS: Readonly<Record<string, PackageType>> = { npm: 'npm', PyPI: 'pypi', Go: 'golang', Maven: 'maven' }

/** Advisories of Debian, Ubuntu and Alpine name the source package; those of systems with rpm that or the package. */
export function advisedAs({ type, name, version, source }: FoundPackage): AdvisedPackage[] {
  const compare = ORDERS[type]
  if (type === 'pypi') return [{ name: name.toLowerCase().replace(/[-_.]+/g, '-'), version, compare }]
  if (type === 'golang') return [{ name, version: version.replace(/^v/, ''), compare }]
  if (type !== 'rpm') return [{ ...(source ?? { name, version }), compare }]
  const own = { name, version, compare }
  if (!source) return [own]
  // SPEC: a package of rpm names its source by a file name, which has no epoch. Of the same version, it is the same.
  return [own, { ...source, compare: source.version === version ? compare : compareRpmWithoutEpoch }]
}

/** True if an ecosystem of OSV is that of a package of a system. */
export function isEcosystemOf(ecosystem: string, { type }: FoundPackage, os: OsRelease | undefined): boolean {
  const [name = '', release] = ecosystem.split(':')
  if (ECOSYSTEMS[name]) return ECOSYSTEMS[name] === type
  if (type === 'rpm') return isRpmEcosystem(name, ecosystem.split(/:(.*)/s)[1], os)
  const version = os?.version
  if (name === 'Alpine') {
    return (
      type === 'apk' && (release === undefined || `v${version}`.startsWith(`${release}.`) || `v${version}` === release)
    )
  }
  if (type !== 'deb' || name.toLowerCase() !== os?.id) return false
  return release === undefined || release === version || (name === 'Debian' && version?.split('.')[0] === release)
}
