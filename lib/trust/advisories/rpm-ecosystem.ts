import type { OsRelease } from '../sbom/package-list.ts'

type IsReleaseOf = (release: string | undefined, os: OsRelease) => boolean

const ECOSYSTEMS: Readonly<Record<string, IsReleaseOf>> = {
  AlmaLinux: (release, os) => os.id === 'almalinux' && isVersion(release, os),
  'Rocky Linux': (release, os) => os.id === 'rocky' && isVersion(release, os),
  'Red Hat': (release, os) => os.id === 'rhel' && isRedHat(release, os),
  openSUSE: (release, os) => os.id.startsWith('opensuse') && isOpenSuse(release, os),
  SUSE: (release, os) => /^(?:sle|sl-micro|suse)/.test(os.id) && isSuse(release, os),
}

/**
 * True if an ecosystem of OSV with packages of rpm is that of a system. Fedora, CentOS, Oracle and Amazon have none.
 *
 * @see {@link https://ossf.github.io/osv-schema/#defined-ecosystems | OSV schema: defined ecosystems}
 */
export function isRpmEcosystem(name: string, release: string | undefined, os: OsRelease | undefined): boolean {
  return os !== undefined && (ECOSYSTEMS[name]?.(release, os) ?? false)
}

function isVersion(release: string | undefined, { version }: OsRelease): boolean {
  return release === undefined || release === version || release === version?.split('.')[0]
}

/**
 * SPEC: the release is a CPE such as `enterprise_linux:9::baseos`. Products with longer support are those of one minor
 * version (`rhel_eus:9.4`), or of a major version after its last minor one (`rhel_els:7`). Products on top of the
 * system (`openshift:4.12::el8`) have other packages of the same names, so they are not those of the system.
 */
function isRedHat(release: string | undefined, os: OsRelease): boolean {
  if (release === undefined) return true
  const [product = '', version] = release.split(':')
  if (product === 'enterprise_linux') return version?.split('.')[0] === os.version?.split('.')[0]
  return product.startsWith('rhel_') && version !== undefined && isVersion(version, os)
}

/** SPEC: the release is the name of the system; packages that are not free have an ecosystem of their own. */
function isOpenSuse(release: string | undefined, { name }: OsRelease): boolean {
  return release === undefined || name === `openSUSE ${release.replace(/ NonFree$/, '')}`
}

/**
 * The release is the name of a product. SUSE files the packages of a system under each module that has them, and under
 * the phase of its support: `Linux Enterprise Module for Basesystem 15 SP5`, `Linux Enterprise Server 15 SP5-LTSS`. So
 * every product of the same service pack counts; `os-release` names it `15.5`. Modules of SLE 12 have no service pack.
 */
function isSuse(release: string | undefined, { version }: OsRelease): boolean {
  if (release === undefined) return true
  const [, number, pack] = [...release.matchAll(/(\d+(?:\.\d+)?)(?: SP(\d+))?/g)].at(-1) ?? []
  const isOfModule = pack === undefined && release.includes(' Module ') && version?.split('.')[0] === number
  return number !== undefined && (isOfModule || version === (pack ? `${number}.${pack}` : number))
}
