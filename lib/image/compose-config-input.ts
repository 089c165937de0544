import { type Digest, isDigest } from '../digest/index.ts'
import { assertOptions } from '../internal/assert-kind.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'
import {
  asImageConfig,
  asPlatform,
  asRunConfig,
  type HistoryEntry,
  type ImageConfig,
  type Platform,
  type RunConfig,
} from '../oci/index.ts'

/** A layer to add on top, with its history. */
export interface ComposedLayer {
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest
  /** History entry of the layer; `created` is filled in if absent. */
  readonly history?: HistoryEntry | undefined
}

/** Input of {@link composeConfig}. */
export interface ComposeConfigInput {
  /** Config of the base image: its layers come first, its unknown members are kept. */
  readonly base?: ImageConfig | undefined
  /** Layers to add, lowest first. */
  readonly layers?: readonly ComposedLayer[]
  /** Changes to the run configuration; see {@link mergeRunConfig}. */
  readonly config?: RunConfig | undefined
  /**
   * Platform of the image; required if the base config has none. @defaultValue the base's; linux/amd64 without a base
   */
  readonly platform?: string | Platform | undefined
  /** Creation time, RFC 3339. @defaultValue {@link defaultCreated} */
  readonly created?: string | undefined
  /** Author recorded in the config. */
  readonly author?: string | undefined
}

/** Checked input of `composeConfig`: absent members are `undefined`, never `null`. */
export interface CheckedConfigInput {
  readonly base: ImageConfig | undefined
  readonly layers: readonly ComposedLayer[]
  readonly config: RunConfig | undefined
  readonly platform: Platform | undefined
  readonly author: string | undefined
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i

/**
 * Checks what the caller of `composeConfig` passed: JavaScript has no types, and a config that no reader accepts must
 * not be composed.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`, `ERR_INVALID_CONFIG`, `ERR_INVALID_PLATFORM`.
 */
export function checkConfigInput(input: ComposeConfigInput): CheckedConfigInput {
  assertOptions(input)
  const { base, layers, config, platform, created, author } = input
  if (isSet(created) && !isTime(created)) {
    throw invalidArgument('created', 'a time as 2026-11-29T12:00:00Z (RFC 3339)', created)
  }
  if (isSet(author) && typeof author !== 'string') throw invalidArgument('author', 'a text', author)
  return {
    base: isSet(base) ? asImageConfig(base, 'config of the base image') : undefined,
    layers: checkLayers(layers ?? []),
    config: isSet(config) ? asRunConfig(config) : undefined,
    platform: isSet(platform) ? asPlatform(platform) : undefined,
    author: author ?? undefined,
  }
}

function isSet<T>(value: T | undefined | null): value is T {
  return value !== undefined && value !== null
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && RFC_3339.test(value) && !Number.isNaN(Date.parse(value))
}

function checkLayers(layers: readonly ComposedLayer[]): readonly ComposedLayer[] {
  if (!Array.isArray(layers)) throw invalidArgument('layers', 'a list of layers, as writeLayer makes them', layers)
  for (const [i, layer] of layers.entries()) {
    const diffId: unknown = layer?.diffId
    if (!isDigest(diffId)) throw invalidArgument(`layers[${i}].diffId`, 'a digest', diffId)
    if (isSet(layer.history) && typeof layer.history !== 'object') {
      throw invalidArgument(`layers[${i}].history`, 'an object', layer.history)
    }
  }
  return layers
}
