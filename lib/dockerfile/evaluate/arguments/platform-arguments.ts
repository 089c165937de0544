import { FormatError } from '../../../errors/index.ts'
import { formatPlatform, hostPlatform, isKnownPlatform, type Platform, parsePlatform } from '../../../oci/index.ts'

/**
 * Parses the platform of a build: one that exists; arm without a variant is v7, as in containerd.
 *
 * @throws {@link FormatError} `ERR_INVALID_PLATFORM`.
 * @internal
 */
export function readPlatform(text: string): Platform {
  const platform = parsePlatform(text)
  if (!isKnownPlatform(platform)) {
    const known = 'such as linux/amd64, linux/arm64, linux/arm/v7, linux/386, linux/ppc64le, linux/riscv64, linux/s390x'
    throw new FormatError('ERR_INVALID_PLATFORM', `no such platform: ${JSON.stringify(text)}; known are those ${known}`)
  }
  return platform.architecture === 'arm' && platform.variant === undefined ? { ...platform, variant: 'v7' } : platform
}

/** Platform of images that run on this machine, as text. */
export function defaultPlatform(): string {
  return formatPlatform(hostPlatform())
}

/** The automatic arguments. They may be used in FROM at once, and in a stage after `ARG NAME`. */
export function platformArguments(
  target: string,
  build: string,
  stage: string,
  buildArgs: ReadonlyMap<string, string>,
): Map<string, string> {
  const values = new Map<string, string>()
  for (const [prefix, text] of [
    ['BUILD', build],
    ['TARGET', target],
  ] as const) {
    const platform = readPlatform(text)
    values.set(`${prefix}PLATFORM`, formatPlatform(platform))
    values.set(`${prefix}OS`, platform.os)
    values.set(`${prefix}OSVERSION`, platform['os.version'] ?? '')
    values.set(`${prefix}ARCH`, platform.architecture)
    values.set(`${prefix}VARIANT`, platform.variant ?? '')
  }
  values.set('TARGETSTAGE', stage)
  for (const name of values.keys()) values.set(name, buildArgs.get(name) ?? values.get(name)!)
  return values
}
