import type { CacheSource, CacheTarget } from '../../build/index.ts'
import { formatPlatform, hostPlatform } from '../../oci/index.ts'
import { fieldsOf } from '../arguments/fields-of.ts'
import { notEmpty } from '../arguments/not-empty.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { PolicyOption } from '../signing/policy-of.ts'

/** Options of `build` as they are typed. */
export interface BuildCommandOptions extends PolicyOption {
  readonly tag?: readonly string[]
  readonly file?: string
  readonly target?: string
  readonly buildArg?: readonly string[]
  readonly platform?: readonly string[]
  readonly buildContext?: readonly string[]
  readonly label?: readonly string[]
  readonly annotation?: readonly string[]
  /** False with `--no-cache`. */
  readonly cache?: boolean
  /** Stages of `--no-cache-filter`; `true` without it, because commander takes it for the opposite of a switch. */
  readonly cacheFilter?: readonly string[] | true
  readonly cacheFrom?: readonly string[]
  readonly cacheTo?: readonly string[]
  readonly omitUnchanged?: boolean
  readonly secret?: readonly string[]
  readonly ssh?: readonly string[]
  readonly provenance?: string | boolean
  readonly sbom?: string | boolean
  readonly pull?: boolean
  readonly lock?: string
  readonly lockFrozen?: boolean
  readonly push?: boolean
  readonly output?: readonly string[]
  readonly iidfile?: string
  readonly metadataFile?: string
  readonly explain?: boolean
  readonly check?: boolean
  readonly call?: string
  readonly plan?: boolean
  readonly progress?: string
  readonly sandbox?: string
  readonly memory?: string
  readonly pidsLimit?: string
  readonly stepTimeout?: string
  readonly ulimit?: readonly string[]
  readonly addHost?: readonly string[]
}

/** Build arguments of `--build-arg NAME=VALUE`; a NAME alone takes the value of the environment, if it has one. */
export function buildArgsOf(options: readonly string[] = [], env: NodeJS.ProcessEnv): Record<string, string> {
  const args: Record<string, string> = {}
  for (const option of options) {
    const [name, value = env[name]] = splitOption('--build-arg', option)
    if (value !== undefined) args[name] = value
  }
  return args
}

/** Labels: `NAME=VALUE`; a NAME alone has an empty value. */
export function labelsOf(flag: string, options: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(options.map(option => splitOption(flag, option)).map(([name, value = '']) => [name, value]))
}

/** Platforms of `--platform`, which may be repeated and may hold commas; `local` is Linux on this machine. */
export function listedPlatforms(options: readonly string[] = []): string[] {
  const platforms = options.flatMap(option => option.split(',')).filter(platform => platform !== '')
  return platforms.map(platform => (platform === 'local' ? formatPlatform(hostPlatform()) : platform))
}

/** Caches of `--cache-from`: `REF`, `DIR`, `type=registry,ref=REF`, `type=local,src=DIR`, `type=archive,src=FILE`. */
export function cacheSourcesOf(options: readonly string[] = []): CacheSource[] {
  return options.map(option => placeOf('--cache-from', option, 'src'))
}

/** Caches of `--cache-to`, likewise with `dest` in place of `src`. */
export function cacheTargetsOf(options: readonly string[] = []): CacheTarget[] {
  return options.map(option => placeOf('--cache-to', option, 'dest'))
}

/** Fields of docker that change nothing here: an exported cache has all layers, as `mode=max`, in OCI's types. */
const PASSED_OVER = ['mode', 'oci-mediatypes', 'image-manifest', 'ignore-error', 'compression', 'force-compression']

function placeOf(flag: string, option: string, at: 'src' | 'dest'): CacheTarget {
  notEmpty(option, `the place of ${flag}`)
  if (!/(^|,)"?type=/i.test(option)) return /^[./]/.test(option) ? { directory: option } : { reference: option }
  const fields = fieldsOf(flag, option, ['type', 'ref', 'src', 'dest', ...PASSED_OVER])
  const [type, reference] = [fields.get('type'), fields.get('ref')]
  const place = fields.get(at) ?? fields.get('dest') ?? fields.get('src')
  if (type === 'registry' && reference) return { reference }
  if (type === 'local' && place) return { directory: place }
  if (type === 'archive' && place) return { archive: place }
  throw new UsageError(`${flag} takes REF, DIR, type=registry,ref=REF, type=local,${at}=DIR or type=archive,${at}=FILE`)
}

function splitOption(flag: string, option: string): [name: string, value: string | undefined] {
  const equals = option.indexOf('=')
  const name = equals < 0 ? option : option.slice(0, equals)
  if (name === '') throw new UsageError(`${flag} takes NAME=VALUE, not ${JSON.stringify(option)}`)
  return [name, equals < 0 ? undefined : option.slice(equals + 1)]
}
