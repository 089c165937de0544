import type { StatedPackage } from './ecosystems/stated-package.ts'
import type { OsRelease, PackageType } from './package-list.ts'

/** Systems of images without an `os-release`. */
const DISTRIBUTIONS = { deb: 'debian', apk: 'alpine', rpm: 'redhat' }

/** Vendors of systems with rpm whose `os-release` has another name: advisories and VEX documents have these. */
const VENDORS = new Map([
  ['rhel', 'redhat'],
  ['sles', 'suse'],
  ['opensuse-leap', 'opensuse'],
  ['opensuse-tumbleweed', 'opensuse'],
])

/**
 * Makes the package URL of a package. System packages have the system in it, because the same version of two systems
 * is not the same package.
 *
 * @see {@link https://github.com/package-url/purl-spec | purl specification}
 */
export function makePurl(type: PackageType, stated: StatedPackage, os: OsRelease | undefined): string {
  const version = encode(stated.version)
  if (type === 'npm') return `pkg:npm/${stated.name.split('/').map(encode).join('/')}@${version}`
  if (type === 'golang') return `pkg:golang/${stated.name.split('/').map(encode).join('/')}@${version}`
  if (type === 'maven') return `pkg:maven/${stated.name.split(':').map(encode).join('/')}@${version}`
  if (type === 'pypi') return `pkg:pypi/${encode(stated.name.toLowerCase().replaceAll('_', '-'))}@${version}`
  const namespace = os?.id ?? DISTRIBUTIONS[type]
  const distro = os && [os.id, os.version].filter(Boolean).join('-')
  // SPEC: qualifiers are sorted by their names.
  const qualifiers = [
    ...(stated.architecture ? [`arch=${encode(stated.architecture)}`] : []),
    ...(distro ? [`distro=${encode(distro)}`] : []),
  ]
  if (type === 'rpm') return rpmPurl(VENDORS.get(namespace) ?? namespace.toLowerCase(), stated, qualifiers)
  const tail = qualifiers.length > 0 ? `?${qualifiers.join('&')}` : ''
  return `pkg:${type}/${encode(namespace.toLowerCase())}/${encode(stated.name)}@${version}${tail}`
}

/** SPEC: the epoch of rpm is a qualifier, and not in the version. */
function rpmPurl(namespace: string, { name, version }: StatedPackage, qualifiers: readonly string[]): string {
  const [, epoch, rest = version] = version.match(/^(\d+):(.*)$/) ?? []
  const all = [...qualifiers, ...(epoch ? [`epoch=${epoch}`] : [])].sort()
  return `pkg:rpm/${encode(namespace)}/${encode(name)}@${encode(rest)}${all.length > 0 ? `?${all.join('&')}` : ''}`
}

/** SPEC: everything but letters, digits, `.`, `-`, `_`, `~` and `:` is percent-encoded. */
function encode(text: string): string {
  // A lone surrogate, which JSON can write, has no bytes.
  const encoded = encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'))
  return encoded.replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`).replaceAll('%3A', ':')
}
