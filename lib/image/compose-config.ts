import { FormatError } from '../errors/index.ts'
import { type ImageConfig, type Platform, platformOfConfig, type RunConfig } from '../oci/index.ts'
import { type ComposeConfigInput, checkConfigInput } from './compose-config-input.ts'

/**
 * Composes an image config. Pure: equal input gives equal output, so that images are reproducible.
 *
 * @example
 * ```ts
 * const config = composeConfig({ layers: [layer], config: { Env: ['PORT=80'] }, platform: hostPlatform() })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` if neither the base nor `platform` says for which platform, and if
 * the base or `config` is no valid config; `ERR_INVALID_PLATFORM`; `ERR_INVALID_ARGUMENT` with the name of the option
 * for a value of a wrong kind.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md | image-spec: config}
 */
export function composeConfig(input: ComposeConfigInput): ImageConfig {
  const { base, layers, platform, config: changes, author } = checkConfigInput(input)
  const created = input.created ?? defaultCreated()
  const config = mergeRunConfig(base?.config, changes)
  const history = layers.map(layer => ({ created, created_by: 'layerstore', ...layer.history }))
  return {
    ...(platform ? withoutPlatform(base) : base),
    created,
    ...(author === undefined ? {} : { author }),
    ...platformMembers(platform, base),
    ...(Object.keys(config).length > 0 ? { config } : {}),
    rootfs: {
      type: 'layers',
      diff_ids: [...(base?.rootfs.diff_ids ?? []), ...layers.map(layer => layer.diffId)],
    },
    history: [...(base?.history ?? []), ...history],
  }
}

/** Another platform does not inherit the variant and version of the base. */
function withoutPlatform(base: ImageConfig | undefined): Partial<ImageConfig> {
  const { variant: _, 'os.version': _version, 'os.features': _features, ...rest } = base ?? {}
  return rest
}

function platformMembers(platform: Platform | undefined, base: ImageConfig | undefined): Platform {
  if (platform) return platform
  if (!base) return { os: 'linux', architecture: 'amd64' }
  const { os, architecture } = platformOfConfig(base) ?? noPlatform(base)
  return { os, architecture }
}

function noPlatform({ os }: ImageConfig): never {
  const message = 'the config of the base image says no platform: give the platform of the new image'
  throw new FormatError('ERR_INVALID_CONFIG', message, { at: os ? 'architecture' : 'os' })
}

/**
 * Default creation time of images and files: `SOURCE_DATE_EPOCH` from the environment, else the start of 1970. It is
 * never the current time, so equal input gives equal images.
 *
 * @see {@link https://reproducible-builds.org/specs/source-date-epoch/ | SOURCE_DATE_EPOCH}
 */
export function defaultCreated(environment: NodeJS.ProcessEnv = process.env): string {
  const epoch = environment.SOURCE_DATE_EPOCH
  const seconds = epoch !== undefined && /^\d{1,11}$/.test(epoch) ? Number(epoch) : 0
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

/**
 * Merges changes into a run configuration as a Dockerfile does: variables, labels, ports and volumes by name; other
 * members are replaced; a new entrypoint removes the inherited command. A member that is `undefined` or `null` counts
 * as not set.
 */
export function mergeRunConfig(inherited: RunConfig | undefined, wanted: RunConfig | undefined): RunConfig {
  const base = membersSet(inherited)
  if (!wanted) return base
  const changes = membersSet(wanted)
  const { Cmd: inheritedCmd, ...kept } = base
  const cmd = changes.Cmd ?? (changes.Entrypoint ? undefined : inheritedCmd)
  return {
    ...kept,
    ...changes,
    ...(cmd ? { Cmd: cmd } : {}),
    ...(base.Env || changes.Env ? { Env: mergeEnv(base.Env ?? [], changes.Env ?? []) } : {}),
    ...mergedMap('Labels', base, changes),
    ...mergedMap('ExposedPorts', base, changes),
    ...mergedMap('Volumes', base, changes),
  }
}

/** Without members that are `undefined` or `null`: JavaScript passes both for a member that is not set. */
function membersSet(config: RunConfig | undefined | null): RunConfig {
  const members = Object.entries(config ?? {}).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(members)
}

function mergedMap(key: 'Labels' | 'ExposedPorts' | 'Volumes', base: RunConfig, changes: RunConfig) {
  return base[key] || changes[key] ? { [key]: { ...base[key], ...changes[key] } } : {}
}

/** A changed variable keeps its position; new variables come last. */
function mergeEnv(base: readonly string[], changes: readonly string[]): string[] {
  const nameOf = (variable: string) => variable.split('=', 1)[0] as string
  const merged = new Map(base.map(variable => [nameOf(variable), variable]))
  for (const variable of changes) merged.set(nameOf(variable), variable)
  return [...merged.values()]
}
