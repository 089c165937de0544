import { type Digest, isDigest } from '../digest/index.ts'
import { Guard, isAbsent, type JsonObject, member } from './guards.ts'
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
 * Parses an image config. The bytes stay authoritative. Only the members that every act needs are required; an act that
 * needs the platform calls {@link platformOfConfig}.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` with the path of the fault.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const guard = new Guard('ERR_INVALID_CONFIG', 'image config')
  return checkConfig(guard, guard.parse(bytes))
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

/** Checks that a parsed document is an image config. */
export function checkConfig(guard: Guard, document: JsonObject): ImageConfig {
  for (const key of ['architecture', 'os', 'created', 'author', 'variant', 'os.version']) {
    guard.optionalString(member(document, key), key)
  }
  guard.optionalStrings(member(document, 'os.features'), 'os.features')
  const rootfs = checkRootfs(guard, document)
  checkHistory(guard, document)
  const run = member(document, 'config')
  if (!isAbsent(run)) checkRunConfig(guard, guard.object(run, 'config'))
  return { ...document, rootfs } as unknown as ImageConfig
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

function checkHistory(guard: Guard, document: JsonObject): void {
  const history = guard.optionalArray(member(document, 'history'), 'history')
  for (const [i, entry] of history.entries()) guard.object(entry, `history[${i}]`)
}

function checkRunConfig(guard: Guard, run: JsonObject): void {
  for (const key of ['Env', 'Entrypoint', 'Cmd']) guard.optionalStrings(member(run, key), `config.${key}`)
  for (const key of ['User', 'WorkingDir', 'StopSignal']) guard.optionalString(member(run, key), `config.${key}`)
  guard.optionalStringMap(member(run, 'Labels'), 'config.Labels')
  for (const key of ['ExposedPorts', 'Volumes']) {
    const value = member(run, key)
    if (!isAbsent(value)) guard.object(value, `config.${key}`)
  }
}
