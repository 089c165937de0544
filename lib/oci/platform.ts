import { FormatError } from '../errors/index.ts'
import { type Guard, type JsonObject, member } from './guards.ts'

/**
 * Where an image runs.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions | image-spec: platform}
 */
export interface Platform {
  /** Operating system, a GOOS value such as `linux`. */
  readonly os: string
  /** Processor, a GOARCH value such as `amd64`. */
  readonly architecture: string
  /** Kind of processor, e.g. `v7` for arm. */
  readonly variant?: string
  /** Version of the operating system (Windows builds). */
  readonly 'os.version'?: string
  /** Features of the operating system that the image needs. */
  readonly 'os.features'?: readonly string[]
}

// SAFETY: maps, because the key may come from a hostile index: every object has a `constructor` and a `__proto__`.
const ARCHITECTURES: ReadonlyMap<string, readonly [architecture: string, variant?: string]> = new Map([
  ['x86_64', ['amd64']],
  ['x86-64', ['amd64']],
  ['x64', ['amd64']],
  ['i386', ['386']],
  ['i686', ['386']],
  ['ia32', ['386']],
  ['aarch64', ['arm64']],
  ['armhf', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
])

/** The variant that is meant when none is said, and those that can also run what an older variant asks for. */
const DEFAULT_VARIANT: ReadonlyMap<string, string> = new Map([
  ['arm', 'v7'],
  ['arm64', 'v8'],
  ['amd64', 'v1'],
])

/**
 * Reads `os/architecture[/variant]`, or an architecture alone (for linux). Usual other names are understood:
 * `x86_64`, `aarch64`, `armhf`.
 *
 * @throws {@link FormatError} `ERR_INVALID_PLATFORM`.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/')
  if (parts.length > 3 || !parts.every(part => /^[a-z0-9][a-z0-9_.-]*$/.test(part))) {
    throw new FormatError('ERR_INVALID_PLATFORM', `not a platform (os/architecture[/variant]): ${JSON.stringify(text)}`)
  }
  const [os, name, variant] = parts.length === 1 ? ['linux', parts[0]!] : [parts[0]!, parts[1]!, parts[2]]
  return normalizePlatform({ os: os === 'macos' ? 'darwin' : os, architecture: name, ...(variant ? { variant } : {}) })
}

/** The platform with its usual names: `x86_64` becomes `amd64`, `arm64/v8` becomes `arm64`. */
export function normalizePlatform(platform: Platform): Platform {
  const [architecture, impliedVariant] = ARCHITECTURES.get(platform.architecture) ?? [platform.architecture]
  const { variant: given, ...rest } = platform
  const variant = given ?? impliedVariant
  // SPEC: v8 is the only variant of arm64 and v1 the base of amd64; both are usually left out.
  const redundant = (architecture === 'arm64' && variant === 'v8') || (architecture === 'amd64' && variant === 'v1')
  return { ...rest, architecture, ...(variant && !redundant ? { variant } : {}) }
}

/** `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
}

/** The platform of images that run on this machine: always linux, as containers are, with this processor. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: 'linux', architecture: process.arch })
}

/**
 * How well a machine of platform `wanted` runs an image made for `offered`: 0 not at all, otherwise the higher the
 * better. An older variant runs on a newer machine (arm v6 on v7), never the other way round.
 */
export function matchPlatform(wanted: Platform, offered: Platform): number {
  const want = normalizePlatform(wanted)
  const have = normalizePlatform(offered)
  if (want.os !== have.os || want.architecture !== have.architecture) return 0
  if (!matchesVersion(want, have)) return 0
  const wantRank = variantRank(want)
  const haveRank = variantRank(have)
  if (wantRank === undefined || haveRank === undefined) return want.variant === have.variant ? 100 : 0
  return haveRank <= wantRank ? 100 - (wantRank - haveRank) : 0
}

function variantRank(platform: Platform): number | undefined {
  const variant = platform.variant ?? DEFAULT_VARIANT.get(platform.architecture) ?? 'v0'
  return /^v\d{1,2}$/.test(variant) ? Number(variant.slice(1)) : undefined
}

/** SPEC: Windows images match by build, the first three numbers of the version. */
function matchesVersion(want: Platform, have: Platform): boolean {
  const version = want['os.version']
  if (!version || !have['os.version']) return true
  return version.split('.').slice(0, 3).join('.') === have['os.version'].split('.').slice(0, 3).join('.')
}

/** Checks a platform member of a descriptor; unknown members are kept. */
export function checkPlatform(guard: Guard, value: unknown, at: string): void {
  const platform: JsonObject = guard.object(value, at)
  guard.string(member(platform, 'os'), `${at}.os`)
  guard.string(member(platform, 'architecture'), `${at}.architecture`)
  guard.optionalString(member(platform, 'variant'), `${at}.variant`)
  guard.optionalString(member(platform, 'os.version'), `${at}.os.version`)
  guard.optionalStrings(member(platform, 'os.features'), `${at}.os.features`)
}
