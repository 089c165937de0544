import type { ArchiveOutput, CacheSource, CacheTarget, ContextSource } from '../../build/index.ts'
import { UsageError } from '../failing/usage-error.ts'

/** Options of `build` as they are typed. */
export interface BuildCommandOptions {
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
  readonly cacheFrom?: readonly string[]
  readonly cacheTo?: readonly string[]
  readonly secret?: readonly string[]
  readonly ssh?: readonly string[]
  readonly pull?: boolean
  readonly push?: boolean
  readonly output?: readonly string[]
  readonly iidfile?: string
  readonly metadataFile?: string
  readonly explain?: boolean
  readonly check?: boolean
  readonly plan?: boolean
  readonly progress?: string
}

/** Named contexts: files, and images by reference. */
export interface BuildContexts {
  readonly files: Readonly<Record<string, ContextSource>>
  readonly images: Readonly<Record<string, string>>
}

/** Outputs that `--output` selects. */
export interface ChosenOutputs {
  readonly directory?: string
  readonly archive?: ArchiveOutput
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

/** Labels or annotations: `NAME=VALUE`; a NAME alone has an empty value. */
export function labelsOf(flag: string, options: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(options.map(option => splitOption(flag, option)).map(([name, value = '']) => [name, value]))
}

/** Platforms of `--platform`, which may be repeated and may hold commas. */
export function listedPlatforms(options: readonly string[] = []): string[] {
  return options.flatMap(option => option.split(',')).filter(platform => platform !== '')
}

/** Contexts of `--build-context NAME=DIR` and `NAME=docker-image://REF`. */
export function namedContextsOf(options: readonly string[] = []): BuildContexts {
  const files: Record<string, ContextSource> = {}
  const images: Record<string, string> = {}
  for (const option of options) {
    const [name, value] = splitOption('--build-context', option)
    if (!value) throw new UsageError(`--build-context takes NAME=DIR or NAME=docker-image://REF, not ${option}`)
    const scheme = /^([a-z-]+):\/\//.exec(value)?.[1]
    if (scheme === 'docker-image') images[name] = value.slice('docker-image://'.length)
    else if (scheme === undefined) files[name] = { directory: value.replace(/^local:/, '') }
    else
      throw new UsageError(`--build-context ${name}: ${scheme} is not supported; use a directory or docker-image://REF`)
  }
  return { files, images }
}

/** Caches of `--cache-from`: `REF`, `DIR`, `type=registry,ref=REF`, `type=local,src=DIR`, `type=archive,src=FILE`. */
export function cacheSourcesOf(options: readonly string[] = []): CacheSource[] {
  return options.map(option => placeOf('--cache-from', option, 'src'))
}

/** Caches of `--cache-to`, likewise with `dest` in place of `src`. */
export function cacheTargetsOf(options: readonly string[] = []): CacheTarget[] {
  return options.map(option => placeOf('--cache-to', option, 'dest'))
}

function placeOf(flag: string, option: string, at: 'src' | 'dest'): CacheTarget {
  const fields = fieldsOf(option)
  if (!fields) return /^[./]/.test(option) ? { directory: option } : { reference: option }
  const place = fields[at] ?? fields.dest ?? fields.src
  if (fields.type === 'registry' && fields.ref) return { reference: fields.ref }
  if (fields.type === 'local' && place) return { directory: place }
  if (fields.type === 'archive' && place) return { archive: place }
  throw new UsageError(`${flag} takes REF, DIR, type=registry,ref=REF, type=local,${at}=DIR or type=archive,${at}=FILE`)
}

/** Outputs of `--output DIR`, `type=local,dest=DIR`, `type=oci,dest=FILE` and `type=docker,dest=FILE`. */
export function outputsOf(options: readonly string[] = []): ChosenOutputs {
  let outputs: ChosenOutputs = {}
  for (const option of options) {
    const fields = fieldsOf(option) ?? { type: 'local', dest: option }
    const { type, dest } = fields
    if (dest === '-') {
      throw new UsageError('--output writes to a directory or a file, not to stdout; for a file named - write ./-')
    }
    if (type === 'local' && dest) outputs = { ...outputs, directory: dest }
    else if ((type === 'oci' || type === 'docker') && dest)
      outputs = { ...outputs, archive: { path: dest, format: type } }
    else throw new UsageError('--output takes DIR, type=local,dest=DIR, type=oci,dest=FILE or type=docker,dest=FILE')
  }
  return outputs
}

/** Fields of `type=…,name=value`; `undefined` for a text that is no such list. */
function fieldsOf(option: string): Record<string, string> | undefined {
  if (!/(^|,)type=/.test(option)) return undefined
  return Object.fromEntries(
    option
      .split(',')
      .map(field => splitOption('', field))
      .map(([name, value = '']) => [name, value]),
  )
}

function splitOption(flag: string, option: string): [name: string, value: string | undefined] {
  const equals = option.indexOf('=')
  const name = equals < 0 ? option : option.slice(0, equals)
  if (name === '') throw new UsageError(`${flag} takes NAME=VALUE, not ${JSON.stringify(option)}`)
  return [name, equals < 0 ? undefined : option.slice(equals + 1)]
}
