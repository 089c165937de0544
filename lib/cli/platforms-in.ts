import { UsageError } from './usage-error.ts'

/** The platforms that were asked for, each by an option of its own or several with commas; none stands for the command's own choice. */
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
