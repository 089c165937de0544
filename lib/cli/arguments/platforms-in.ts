import { UsageError } from '../failing/usage-error.ts'

/**
 * Collects the requested platforms: `--platform` may be repeated and may hold several with commas. Without one the
 * command uses its own default.
 */
export function platformsIn(options: {
  readonly platform?: readonly string[]
  readonly allPlatforms?: boolean
}): readonly string[] | undefined {
  const platforms = (options.platform ?? []).flatMap(text => text.split(','))
  if (platforms.length > 0 && options.allPlatforms) {
    throw new UsageError('--platform and --all-platforms exclude each other')
  }
  return platforms.length > 0 ? platforms : undefined
}
