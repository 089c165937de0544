import { type Digest, isDigest } from '../digest/index.ts'
import { Guard, type JsonObject, member } from './guards.ts'
import { Limits } from './limits.ts'

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
  /** Processor. */
  readonly architecture: string
  /** Operating system. */
  readonly os: string
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
    /** One for each layer, lowest first. */
    readonly diff_ids: readonly Digest[]
  }
  /** What made each layer. */
  readonly history?: readonly HistoryEntry[]
}

/**
 * Reads an image config. The bytes stay authoritative.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` with the path of the fault.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const guard = new Guard('ERR_INVALID_CONFIG', 'image config')
  const document = guard.parse(bytes)
  guard.string(member(document, 'architecture'), 'architecture')
  guard.string(member(document, 'os'), 'os')
  for (const key of ['created', 'author', 'variant', 'os.version']) guard.optionalString(member(document, key), key)
  checkRootfs(guard, document)
  checkHistory(guard, document)
  const run = member(document, 'config')
  if (run !== undefined && run !== null) checkRunConfig(guard, guard.object(run, 'config'))
  return document as unknown as ImageConfig
}

function checkRootfs(guard: Guard, document: JsonObject): void {
  const rootfs = guard.object(member(document, 'rootfs'), 'rootfs')
  // SPEC: implementations must fail on any other type (config.md, rootfs).
  if (member(rootfs, 'type') !== 'layers') guard.fail('rootfs.type', 'must be "layers"')
  const diffIds = member(rootfs, 'diff_ids')
  guard.array(diffIds ?? [], 'rootfs.diff_ids', Limits.layers).forEach((diffId, i) => {
    if (!isDigest(diffId)) guard.fail(`rootfs.diff_ids[${i}]`, 'is not a digest')
  })
}

function checkHistory(guard: Guard, document: JsonObject): void {
  const history = member(document, 'history')
  if (history === undefined || history === null) return
  guard.array(history, 'history').forEach((entry, i) => {
    guard.object(entry, `history[${i}]`)
  })
}

/** Docker writes `null` for what is not set. */
function checkRunConfig(guard: Guard, run: JsonObject): void {
  for (const key of ['Env', 'Entrypoint', 'Cmd']) {
    const value = member(run, key)
    if (value !== undefined && value !== null) guard.strings(value, `config.${key}`)
  }
  for (const key of ['User', 'WorkingDir', 'StopSignal']) guard.optionalString(member(run, key), `config.${key}`)
  const labels = member(run, 'Labels')
  if (labels !== undefined && labels !== null) guard.stringMap(labels, 'config.Labels')
  for (const key of ['ExposedPorts', 'Volumes']) {
    const value = member(run, key)
    if (value !== undefined && value !== null) guard.object(value, `config.${key}`)
  }
}
