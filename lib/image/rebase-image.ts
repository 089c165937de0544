import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { canonicalText } from '../internal/canonical-json.ts'
import {
  Annotation,
  formatPlatform,
  type HistoryEntry,
  type ImageConfig,
  normalizePlatform,
  type Platform,
  platformOfConfig,
  type RunConfig,
} from '../oci/index.ts'
import type { Store } from '../store/index.ts'
import { composeImage } from './compose-image.ts'
import type { Image } from './read-image.ts'

/** Options of {@link rebaseImage}. */
export interface RebaseImageOptions extends AbortOptions {
  /** The base that the image was made on. Its layers must be the lowest of the image. */
  readonly from: Image
  /** The new base. */
  readonly onto: Image
  /** Creation time, RFC 3339. @defaultValue `SOURCE_DATE_EPOCH`, else the start of 1970 */
  readonly created?: string | undefined
  /** Annotations, added to those of the image. The digest of the new base is noted. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/**
 * Moves an image from one base to another, for example to a patched version of the same base: the layers above the old
 * base stay as they are, no layer is read, and nothing is built.
 *
 * The run configuration follows: whatever the image changed over the old base is kept, the rest comes from the new base
 * (its `PATH`, its version variables, its entrypoint if the image had set none). Both bases may be images of a registry
 * whose layers were not fetched.
 *
 * @example
 * ```ts
 * const from = await readImage(store, 'node:22.1-slim')
 * const onto = await readImage(registry, 'node:22.2-slim')
 * const image = await rebaseImage(store, await readImage(store, 'app:1.0'), { from, onto })
 * ```
 *
 * The caller decides whether the layers fit the new base: a library that the image was built against may be gone.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if the image was not made on `from`, or the bases are for other
 * platforms.
 */
export async function rebaseImage(store: Store, image: Image, options: RebaseImageOptions): Promise<Image> {
  const { from, onto, created, signal } = options
  assertMadeOn(image, from)
  assertSamePlatform(image, onto)
  const own = image.layers.slice(from.layers.length)
  const histories = historyOf(image.config, from.config, own.length)
  const remote = [...(onto.remoteLayers ?? []), ...(image.remoteLayers ?? [])]
  const { [Annotation.BaseName]: _, ...annotations } = image.manifest.annotations ?? {}
  return composeImage(store, {
    base: {
      ...onto,
      config: { ...onto.config, config: baseConfig(image.config, from.config, onto.config) },
      ...(remote.length > 0 ? { remoteLayers: remote } : {}),
    },
    layers: own.map((layer, i) => ({ ...layer, history: histories[i] })),
    config: changesOf(image.config.config, from.config.config),
    created,
    ...(image.config.author === undefined ? {} : { author: image.config.author }),
    annotations: { ...annotations, [Annotation.BaseDigest]: onto.descriptor.digest, ...options.annotations },
    signal,
  })
}

/** The layers of an image are compared by their content: a recompressed base is the same base. */
function assertMadeOn(image: Image, from: Image): void {
  const at = from.layers.findIndex(({ diffId }, i) => image.layers[i]?.diffId !== diffId)
  if (at < 0) return
  const message = `${image.descriptor.digest} was not made on ${from.descriptor.digest}: layer ${at + 1} differs`
  throw new FormatError('ERR_INVALID_ARGUMENT', message)
}

function assertSamePlatform(image: Image, onto: Image): void {
  const [mine, theirs] = [platformOfConfig(image.config), platformOfConfig(onto.config)].map(
    platform => platform && wordsOf(platform),
  )
  if (mine === undefined || theirs === undefined || mine === theirs) return
  throw new FormatError('ERR_INVALID_ARGUMENT', `the image is for ${mine}, the new base for ${theirs}`)
}

function wordsOf({ os, architecture, variant }: Platform): string {
  return formatPlatform(normalizePlatform({ os, architecture, ...(variant ? { variant } : {}) }))
}

/** The history of the own layers, if it can be told from that of the base. */
function historyOf(image: ImageConfig, from: ImageConfig, count: number): readonly HistoryEntry[] {
  const own = (image.history ?? []).slice(from.history?.length ?? 0).filter(entry => !entry.empty_layer)
  return own.length === count ? own : []
}

/** Members that the image dropped from the old base are dropped from the new one. */
function baseConfig(image: ImageConfig, from: ImageConfig, onto: ImageConfig): RunConfig {
  const before: RunConfig = from.config ?? {}
  const now: RunConfig = image.config ?? {}
  const members = Object.entries(onto.config ?? {}).filter(([key]) => {
    const wasDropped = isSet(before, key) && !isSet(now, key)
    return !wasDropped
  })
  return Object.fromEntries(members)
}

function isSet(config: RunConfig, key: string): boolean {
  const value = (config as Readonly<Record<string, unknown>>)[key]
  return value !== undefined && value !== null
}

/** Changes of an image relative to its base: whole members, and single variables, labels, ports and volumes. */
function changesOf(image: RunConfig = {}, base: RunConfig = {}): RunConfig {
  const changed = Object.entries(image).flatMap(([key, value]): [string, unknown][] => {
    const before = (base as Readonly<Record<string, unknown>>)[key]
    if (isEqual(value, before)) return []
    if (key === 'Env') return [[key, (image.Env ?? []).filter(variable => !base.Env?.includes(variable))]]
    if (MAPS.has(key)) return [[key, addedMembers(value, before)]]
    return [[key, value]]
  })
  const changes: RunConfig = Object.fromEntries(changed)
  // A new entrypoint would remove the command of the base, which the image may have set again.
  return changes.Entrypoint && image.Cmd ? { ...changes, Cmd: image.Cmd } : changes
}

const MAPS: ReadonlySet<string> = new Set(['Labels', 'ExposedPorts', 'Volumes'])

function addedMembers(value: unknown, before: unknown): object {
  const known = new Map(Object.entries((before as object | undefined) ?? {}))
  const isNew = ([key, member]: [string, unknown]) => !known.has(key) || !isEqual(known.get(key), member)
  return Object.fromEntries(Object.entries((value as object | undefined) ?? {}).filter(isNew))
}

function isEqual(one: unknown, other: unknown): boolean {
  if (one === undefined || other === undefined) return one === other
  return canonicalText(one) === canonicalText(other)
}
