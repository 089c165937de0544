import type { Digest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { canonicalJson, canonicalText } from '../internal/canonical-json.ts'
import {
  type Descriptor,
  formatPlatform,
  type ImageIndex,
  isConfigType,
  MediaType,
  matchPlatform,
  normalizePlatform,
  type Platform,
  parseConfig,
  parsePlatform,
  platformOfConfig,
  type Repository,
  remoteLayersOf,
  withRemoteLayers,
} from '../oci/index.ts'
import { readDocument, type Store } from '../store/index.ts'
import { findDescriptor, readImageDocument } from './read-image.ts'

/** A manifest or index of the store: its name, its digest, its descriptor, or what an act of this library returned. */
export type StoredImage =
  | string
  | Descriptor
  | {
      /** Descriptor of the manifest or index. */
      readonly descriptor: Descriptor
    }

/** An image for an index, with what its entry says. */
export interface IndexedImage {
  /** The image. The entries of an index are taken one by one. */
  readonly image: StoredImage
  /** Platform of the entry. @defaultValue that of the image config */
  readonly platform?: string | Platform | undefined
  /** Annotations of the entry. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** Options of {@link composeIndex}. */
export interface ComposeIndexOptions extends AbortOptions {
  /** Images to list, in this order. If one is an index, its entries are listed. */
  readonly images?: readonly (StoredImage | IndexedImage)[] | undefined
  /**
   * An index to extend: its entries come first, and its other members are kept. An image replaces the entry of the same
   * platform, together with the attestations of that entry.
   */
  readonly extend?: StoredImage | undefined
  /** Keep only these platforms, and the attestations of their images. @defaultValue all */
  readonly platforms?: readonly (string | Platform)[] | undefined
  /** Annotations of the index, added to those of the index that is extended. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** A composed index. */
export interface ComposedIndex {
  /** Descriptor of the index. */
  readonly descriptor: Descriptor
  /** The index. */
  readonly index: ImageIndex
}

/**
 * Composes an index of stored images, for several platforms, and writes it to the store; or extends or filters an
 * index. Equal input gives equal bytes. The index gets no name: call `store.references.set` with the descriptor.
 *
 * @example
 * ```ts
 * const both = await composeIndex(store, { images: ['app:1.0-amd64', 'app:1.0-arm64'] })
 * await store.references.set('app:1.0', both.descriptor)
 * const fewer = await composeIndex(store, { extend: 'node:22', platforms: ['linux/amd64'] })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if two images are for one platform, no image is for one of
 * `platforms`, or nothing is left to list; {@link ReferenceNotFoundError}; and the errors of malformed documents.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md | image-spec: index}
 */
export async function composeIndex(store: Store, options: ComposeIndexOptions): Promise<ComposedIndex> {
  const { images = [], extend, platforms, annotations = {}, signal } = options
  await using _lease = await store.leases.hold({ label: 'compose an index', signal })
  const sources: Repository[] = []
  const base = extend === undefined ? undefined : await readIndex(store, extend, sources, { signal })
  const added: Descriptor[] = []
  for (const one of images) added.push(...without(added, await entriesOf(store, one, sources, { signal })))
  refuseDuplicates(added)
  const all = [...withoutReplaced(base?.manifests ?? [], added), ...added]
  const manifests = platforms === undefined ? all : filterPlatforms(all, platforms)
  if (manifests.length === 0) throw invalid('an index needs at least one image')
  const notes = { ...base?.annotations, ...annotations }
  const index: ImageIndex = {
    ...base,
    schemaVersion: 2,
    mediaType: MediaType.OciIndex,
    manifests,
    ...(Object.keys(notes).length > 0 ? { annotations: notes } : {}),
  }
  const info = await store.put(canonicalJson(index), { signal })
  return { descriptor: withRemoteLayers({ mediaType: MediaType.OciIndex, ...info }, sources), index }
}

/** Resolves what a caller named to a descriptor without the members that only a list has. */
async function rootOf(
  store: Store,
  image: StoredImage,
  sources: Repository[],
  options: AbortOptions,
): Promise<Descriptor> {
  const root =
    typeof image === 'string'
      ? await findDescriptor(store, image, options)
      : 'descriptor' in image
        ? image.descriptor
        : image
  sources.push(...remoteLayersOf(root))
  return withRemoteLayers(root, [])
}

async function readIndex(
  store: Store,
  image: StoredImage,
  sources: Repository[],
  options: AbortOptions,
): Promise<ImageIndex> {
  const root = await rootOf(store, image, sources, options)
  const document = await readImageDocument(store, root, options)
  if (document.kind === 'index') return document.index
  throw invalid(`${root.digest} is an image for one platform, not an index; list it among the images`)
}

async function entriesOf(
  store: Store,
  given: StoredImage | IndexedImage,
  sources: Repository[],
  options: AbortOptions,
): Promise<readonly Descriptor[]> {
  const { image, platform, annotations } =
    typeof given === 'object' && 'image' in given
      ? given
      : { image: given, platform: undefined, annotations: undefined }
  const root = await rootOf(store, image, sources, options)
  const document = await readImageDocument(store, root, options)
  const notes = annotations && Object.keys(annotations).length > 0 ? { annotations } : {}
  if (document.kind === 'index') {
    if (platform !== undefined) throw invalid(`${root.digest} is an index: its entries say their platforms themselves`)
    return document.index.manifests.map(entry => ({ ...entry, ...notes }))
  }
  const { config, artifactType } = document.manifest
  const { mediaType, digest, size } = root
  const said = typeof platform === 'string' ? parsePlatform(platform) : platform
  const own = said ?? (isConfigType(config.mediaType) ? await platformIn(store, config, options) : undefined)
  return [
    {
      mediaType,
      digest,
      size,
      ...(artifactType ? { artifactType } : {}),
      ...(own ? { platform: own } : {}),
      ...notes,
    },
  ]
}

async function platformIn(store: Store, config: Descriptor, options: AbortOptions): Promise<Platform | undefined> {
  return platformOfConfig(parseConfig(await readDocument(store, config, options)))
}

/** An image under two names is listed once, like one that two of the given indexes list. */
function without(listed: readonly Descriptor[], entries: readonly Descriptor[]): readonly Descriptor[] {
  const known = new Set(listed.map(canonicalText))
  return entries.filter(entry => !known.has(canonicalText(entry)))
}

function refuseDuplicates(entries: readonly Descriptor[]): void {
  const taken = new Map<string, Digest>()
  for (const { digest, platform } of entries) {
    const key = keyOf(platform)
    if (key === undefined) continue
    const before = taken.get(key)
    if (before !== undefined && before !== digest) {
      throw invalid(`two images are for ${formatPlatform(platform!)}: ${before} and ${digest}; give one of them`)
    }
    taken.set(key, digest)
  }
}

/** Entries for the platform `unknown` are attestations; an index may have several. */
function keyOf(platform: Platform | undefined): string | undefined {
  if (!platform || platform.os === 'unknown') return undefined
  return canonicalText(normalizePlatform(platform))
}

/** Removes the entries whose platform an added image takes, and the attestations of the removed entries. */
function withoutReplaced(entries: readonly Descriptor[], added: readonly Descriptor[]): readonly Descriptor[] {
  const taken = new Set(added.map(({ platform }) => keyOf(platform)))
  const again = new Set<string>(added.map(({ digest }) => digest))
  const isReplaced = ({ digest, platform }: Descriptor) => {
    const key = keyOf(platform)
    return again.has(digest) || (key !== undefined && taken.has(key))
  }
  const kept = entries.filter(entry => !isReplaced(entry))
  return withAttestations(entries, kept)
}

function filterPlatforms(
  entries: readonly Descriptor[],
  platforms: readonly (string | Platform)[],
): readonly Descriptor[] {
  const kept = new Set<Descriptor>()
  for (const given of platforms) {
    const wanted = typeof given === 'string' ? parsePlatform(given) : given
    const fitting = entries.filter(({ platform }) => platform && matchPlatform(wanted, platform) > 0)
    if (fitting.length === 0) throw invalid(`no image of the index is for ${formatPlatform(wanted)}`)
    const best = Math.max(...fitting.map(({ platform }) => matchPlatform(wanted, platform!)))
    for (const entry of fitting) if (matchPlatform(wanted, entry.platform!) === best) kept.add(entry)
  }
  return withAttestations(
    entries,
    entries.filter(entry => kept.has(entry)),
  )
}

/** BuildKit puts attestations beside the images that they describe: they stay with them, and go with them. */
function withAttestations(entries: readonly Descriptor[], kept: readonly Descriptor[]): readonly Descriptor[] {
  const digests = new Set<string>(kept.map(({ digest }) => digest))
  return entries.filter(entry => {
    const about = entry.annotations?.['vnd.docker.reference.digest']
    return about === undefined ? kept.includes(entry) : digests.has(about)
  })
}

function invalid(message: string): FormatError {
  return new FormatError('ERR_INVALID_ARGUMENT', message)
}
