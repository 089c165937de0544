import { type Digest, isDigest } from '../digest/index.ts'
import { Guard, isAbsent, type JsonObject, member } from './guards.ts'
import { Limits } from './limits.ts'
import type { Platform } from './platform.ts'

/** How a container of the image runs. Names are those of the specification. */
export interface RunConfig {
  /** User, `name|uid[:group|gid]`. */
  readonly User?: string
  /** Ports the image listens on, as `8080/tcp`; the values are empty objects. */
  readonly ExposedPorts?: Readonly<Record<string, object>>
  /** Environment, `NAME=value`. */
  readonly Env?: readonly string[]
  /** Program to start. */
  readonly Entrypoint?: readonly string[]
  /** Arguments of the entrypoint, or the program if there is none. */
  readonly Cmd?: readonly string[]
  /** Directories for data; the values are empty objects. */
  readonly Volumes?: Readonly<Record<string, object>>
  /** Directory to start in. */
  readonly WorkingDir?: string
  /** Free text about the image. */
  readonly Labels?: Readonly<Record<string, string>>
  /** Signal that stops the program. */
  readonly StopSignal?: string
}

/** What made one layer, or changed the config only. */
export interface HistoryEntry {
  /** When, RFC 3339. */
  readonly created?: string
  /** By which command. */
  readonly created_by?: string
  /** By whom. */
  readonly author?: string
  /** Remark. */
  readonly comment?: string
  /** Whether no layer came of it. */
  readonly empty_layer?: boolean
}

/**
 * What an image is: platform, run configuration, the diffIds of its layers, how it came about. Unknown members are kept.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md | image-spec: config}
 */
export interface ImageConfig {
  /** When the image was made, RFC 3339. */
  readonly created?: string
  /** Who made it. */
  readonly author?: string
  /** Processor. The specification asks for it; configs without it exist. See {@link platformOfConfig}. */
  readonly architecture?: string
  /** Operating system. The specification asks for it; configs without it exist. See {@link platformOfConfig}. */
  readonly os?: string
  /** Kind of processor. */
  readonly variant?: string
  /** Version of the operating system. */
  readonly 'os.version'?: string
  /** Features of the operating system. */
  readonly 'os.features'?: readonly string[]
  /** How a container runs. */
  readonly config?: RunConfig
  /** The layers by the digests of their uncompressed tar, lowest first. */
  readonly rootfs: {
    /** Nothing else is defined. */
    readonly type: 'layers'
    /** One for each layer, lowest first; empty also where the document has `null` or none. */
    readonly diff_ids: readonly Digest[]
  }
  /** What made each layer. */
  readonly history?: readonly HistoryEntry[]
}

/**
 * Reads an image config. The bytes stay authoritative. Only what every act needs must be there: of the platform, the acts
 * that need one ask {@link platformOfConfig}.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` with the path of the fault.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const guard = new Guard('ERR_INVALID_CONFIG', 'image config')
  return checkConfig(guard, guard.parse(bytes))
}

/** The platform that an image config says, or `undefined` if it leaves the processor or the operating system out. */
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

/** Checks a parsed document as an image config. */
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
