import { FormatError } from '../errors/index.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'
import { Guard, type JsonObject, member, withoutNulls } from './guards.ts'

/**
 * Platform of an image: operating system and processor.
 *
 * @see
 * {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions | image-spec: platform}
 */
export interface Platform {
  /** Operating system, a GOOS value such as `linux`. */
  readonly os: string
  /** Processor, a GOARCH value such as `amd64`. */
  readonly architecture: string
  /** Variant of the processor, such as `v7` for arm. */
  readonly variant?: string
  /** Version of the operating system (Windows builds). */
  readonly 'os.version'?: string
  /** Required features of the operating system. */
  readonly 'os.features'?: readonly string[]
}

// SAFETY: the key may come from a hostile index. A plain object would find inherited members such as `constructor` and
// `__proto__`; a `Map` does not.
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

/** The variant that an architecture without variant means. */
const DEFAULT_VARIANT: ReadonlyMap<string, string> = new Map([
  ['arm', 'v7'],
  ['arm64', 'v8'],
  ['amd64', 'v1'],
])

/**
 * Parses `os/architecture[/variant]`, or an architecture alone (for linux). Common aliases are accepted: `x86_64`,
 * `aarch64`, `armhf`.
 *
 * @example
 * ```ts
 * parsePlatform('linux/arm64/v8') // { os: 'linux', architecture: 'arm64', variant: 'v8' }
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_PLATFORM`.
 */
export function parsePlatform(text: string): Platform {
  if (typeof text !== 'string') throw invalidArgument('platform', 'a text such as linux/amd64', text)
  const parts = text.toLowerCase().split('/')
  if (parts.length > 3 || !parts.every(part => /^[a-z0-9][a-z0-9_.-]*$/.test(part))) {
    throw new FormatError('ERR_INVALID_PLATFORM', `not a platform (os/architecture[/variant]): ${JSON.stringify(text)}`)
  }
  const [os, name, variant] = parts.length === 1 ? ['linux', parts[0]!] : [parts[0]!, parts[1]!, parts[2]]
  return normalizePlatform({ os: os === 'macos' ? 'darwin' : os, architecture: name, ...(variant ? { variant } : {}) })
}

/**
 * Returns the platform that a caller gave as text, as {@link parsePlatform} reads it, or as an object.
 *
 * @param name - Name of the option in errors.
 * @throws {@link FormatError} `ERR_INVALID_PLATFORM` for a malformed text, `ERR_INVALID_ARGUMENT` for anything else.
 * @internal
 */
export function asPlatform(given: string | Platform, name = 'platform'): Platform {
  if (typeof given === 'string') return parsePlatform(given)
  const isObject = typeof given === 'object' && given !== null && 'os' in given && 'architecture' in given
  if (!isObject) throw invalidArgument(name, 'a platform such as linux/amd64, or its os and architecture', given)
  return checkPlatform(new Guard('ERR_INVALID_ARGUMENT', 'platform'), given, name)
}

/** Returns the platform with normalised names: `x86_64` becomes `amd64`, `arm64/v8` becomes `arm64`. */
export function normalizePlatform(platform: Platform): Platform {
  const [architecture, impliedVariant] = ARCHITECTURES.get(platform.architecture) ?? [platform.architecture]
  const { variant: given, ...rest } = platform
  const variant = given ?? impliedVariant
  // SPEC: v8 is the only variant of arm64 and v1 the base of amd64; both are usually omitted.
  const redundant = (architecture === 'arm64' && variant === 'v8') || (architecture === 'amd64' && variant === 'v1')
  return { ...rest, architecture, ...(variant && !redundant ? { variant } : {}) }
}

/**
 * Formats a platform as `os/architecture[/variant]`.
 *
 * @example
 * ```ts
 * formatPlatform({ os: 'linux', architecture: 'amd64' }) // 'linux/amd64'
 * ```
 */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
}

/**
 * Returns the platform of images that run on this machine: linux, as containers are, with this processor.
 *
 * @example
 * ```ts
 * const image = await readImage(store, 'node:22', { platform: hostPlatform() })
 * ```
 */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: 'linux', architecture: process.arch })
}

/**
 * Ranks an image for platform `offered` on a machine of platform `wanted`: 0 if it cannot run, otherwise the higher the
 * better. An image for an older variant runs on a newer machine (arm v6 on v7), but not the reverse.
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

/** Checks the platform member of a descriptor; returns it with unknown members, and without members that are `null`. */
export function checkPlatform(guard: Guard, value: unknown, at: string): Platform {
  const platform: JsonObject = guard.object(value, at)
  guard.string(member(platform, 'os'), `${at}.os`)
  guard.string(member(platform, 'architecture'), `${at}.architecture`)
  guard.optionalString(member(platform, 'variant'), `${at}.variant`)
  guard.optionalString(member(platform, 'os.version'), `${at}.os.version`)
  guard.optionalStrings(member(platform, 'os.features'), `${at}.os.features`)
  return withoutNulls(platform, ['variant', 'os.version', 'os.features']) as unknown as Platform
}
