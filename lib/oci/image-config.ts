import { type Digest, isDigest } from '../digest/index.ts'
import { Guard, isAbsent, type JsonObject, member, withoutNulls } from './guards.ts'
import { Limits } from './limits.ts'
import type { Platform } from './platform.ts'

/** Configuration of the containers of an image. The names are those of the specification. */
export interface RunConfig {
  /** User and group, as `name|uid[:group|gid]`. */
  readonly User?: string
  /** Ports that the container listens on, as `8080/tcp`; the values are empty objects. */
  readonly ExposedPorts?: Readonly<Record<string, object>>
  /** Environment variables, as `NAME=value`. */
  readonly Env?: readonly string[]
  /** Program to start. */
  readonly Entrypoint?: readonly string[]
  /** Arguments of the entrypoint, or the program if there is none. */
  readonly Cmd?: readonly string[]
  /** Directories for data; the values are empty objects. */
  readonly Volumes?: Readonly<Record<string, object>>
  /** Working directory of the program. */
  readonly WorkingDir?: string
  /** Free text about the image. */
  readonly Labels?: Readonly<Record<string, string>>
  /** Signal that stops the program. */
  readonly StopSignal?: string
}

/** A build step, which made one layer or changed only the config. */
export interface HistoryEntry {
  /** Time of the step, RFC 3339. */
  readonly created?: string
  /** Command of the step. */
  readonly created_by?: string
  /** Author of the step. */
  readonly author?: string
  /** Comment on the step. */
  readonly comment?: string
  /** True if the step made no layer. */
  readonly empty_layer?: boolean
}

/**
 * Config of an image: platform, run configuration, the diffIDs of its layers, and its history. Unknown members are
 * kept.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md | image-spec: config}
 */
export interface ImageConfig {
  /** Creation time of the image, RFC 3339. */
  readonly created?: string
  /** Author of the image. */
  readonly author?: string
  /** Processor. The specification requires it, but configs without it exist. See {@link platformOfConfig}. */
  readonly architecture?: string
  /** Operating system. The specification requires it, but configs without it exist. See {@link platformOfConfig}. */
  readonly os?: string
  /** Variant of the processor. */
  readonly variant?: string
  /** Version of the operating system. */
  readonly 'os.version'?: string
  /** Required features of the operating system. */
  readonly 'os.features'?: readonly string[]
  /** Run configuration of the containers. */
  readonly config?: RunConfig
  /** The layers by the digests of their uncompressed tars, lowest first. */
  readonly rootfs: {
    /** Always `layers`: the specification defines no other type. */
    readonly type: 'layers'
    /** One diffID per layer, lowest first; empty if the document has `null` or no list. */
    readonly diff_ids: readonly Digest[]
  }
  /** The build steps, oldest first. */
  readonly history?: readonly HistoryEntry[]
}

/**
 * Parses an image config. The bytes stay authoritative. An optional member that is `null`, as Docker and Go programs
 * write it, counts as not set and is left out. Only the members that every act needs are required; an act that
 * needs the platform calls {@link platformOfConfig}.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` with the path of the fault.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const guard = new Guard('ERR_INVALID_CONFIG', 'image config')
  return checkConfig(guard, guard.parse(bytes))
}

/**
 * Checks an image config that a caller made or read, and returns it as {@link parseConfig} does.
 *
 * @param what - Name of the config in errors.
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` with the path of the fault.
 * @internal
 */
export function asImageConfig(value: ImageConfig, what: string): ImageConfig {
  const guard = new Guard('ERR_INVALID_CONFIG', what)
  return checkConfig(guard, guard.object(value, ''))
}

/**
 * Checks a run configuration that a caller made, and returns it without members that are `null`.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` with the path of the fault.
 * @internal
 */
export function asRunConfig(value: RunConfig): RunConfig {
  const guard = new Guard('ERR_INVALID_CONFIG', 'run configuration')
  return checkRunConfig(guard, guard.object(value, 'config'))
}

/**
 * Returns the platform of an image config, or `undefined` if the config omits the processor or the operating system.
 */
export function platformOfConfig(config: ImageConfig): Platform | undefined {
  const { os, architecture, variant, 'os.version': version, 'os.features': features } = config
  if (!os || !architecture) return undefined
  return {
    os,
    architecture,
    ...(variant ? { variant } : {}),
    ...(version ? { 'os.version': version } : {}),
    ...(features ? { 'os.features': features } : {}),
  }
}

const TEXTS = ['architecture', 'os', 'created', 'author', 'variant', 'os.version']
const RUN_LISTS = ['Env', 'Entrypoint', 'Cmd']
const RUN_TEXTS = ['User', 'WorkingDir', 'StopSignal']
const RUN_SETS = ['ExposedPorts', 'Volumes']
const STEP_TEXTS = ['created', 'created_by', 'author', 'comment']

/** Checks that a parsed document is an image config; returns it without optional members that are `null`. */
export function checkConfig(guard: Guard, document: JsonObject): ImageConfig {
  for (const key of TEXTS) guard.optionalString(member(document, key), key)
  guard.optionalStrings(member(document, 'os.features'), 'os.features')
  const rootfs = checkRootfs(guard, document)
  const history = checkHistory(guard, document)
  const run = member(document, 'config')
  return {
    ...withoutNulls(document, [...TEXTS, 'os.features', 'config', 'history']),
    rootfs,
    ...(history ? { history } : {}),
    ...(isAbsent(run) ? {} : { config: checkRunConfig(guard, guard.object(run, 'config')) }),
  } as unknown as ImageConfig
}

function checkRootfs(guard: Guard, document: JsonObject): JsonObject {
  const rootfs = guard.object(member(document, 'rootfs'), 'rootfs')
  // SPEC: implementations must fail on any other type (config.md, rootfs).
  if (member(rootfs, 'type') !== 'layers') guard.fail('rootfs.type', 'must be "layers"')
  const diffIds = guard.optionalArray(member(rootfs, 'diff_ids'), 'rootfs.diff_ids', Limits.layers)
  for (const [i, diffId] of diffIds.entries()) {
    if (!isDigest(diffId)) guard.fail(`rootfs.diff_ids[${i}]`, 'is not a digest')
  }
  return { ...rootfs, diff_ids: diffIds }
}

function checkHistory(guard: Guard, document: JsonObject): readonly JsonObject[] | undefined {
  const history = member(document, 'history')
  if (isAbsent(history)) return undefined
  return guard
    .array(history, 'history')
    .map((entry, i) => withoutNulls(guard.object(entry, `history[${i}]`), [...STEP_TEXTS, 'empty_layer']))
}

/** Checks a run configuration; returns it without optional members that are `null`. */
function checkRunConfig(guard: Guard, run: JsonObject): RunConfig {
  for (const key of RUN_LISTS) guard.optionalStrings(member(run, key), `config.${key}`)
  for (const key of RUN_TEXTS) guard.optionalString(member(run, key), `config.${key}`)
  guard.optionalStringMap(member(run, 'Labels'), 'config.Labels')
  for (const key of RUN_SETS) {
    const value = member(run, key)
    if (!isAbsent(value)) guard.object(value, `config.${key}`)
  }
  return withoutNulls(run, [...RUN_LISTS, ...RUN_TEXTS, ...RUN_SETS, 'Labels']) as RunConfig
}
