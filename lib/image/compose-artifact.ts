import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { type ByteSource, keepContentFaults } from '../internal/byte-source.ts'
import { canonicalJson } from '../internal/canonical-json.ts'
import { Annotation, type Descriptor, type ImageManifest, MediaType, parseDescriptor } from '../oci/index.ts'
import type { Store } from '../store/index.ts'

/** Content of a blob: bytes, text, a stream, or a function that opens one. */
export type ArtifactContent = ByteSource | string | (() => ByteSource)

/** One blob of an artifact. */
export interface ArtifactLayer {
  /** Content of the blob, or a function that opens it when it is needed. */
  readonly content: ArtifactContent
  /** Media type of the blob. @defaultValue `application/octet-stream` */
  readonly mediaType?: string | undefined
  /** Title of the blob, usually the name of a file: `oras pull` writes the blob to a file of this name. */
  readonly title?: string | undefined
  /** Annotations of the blob. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** Options of {@link composeArtifact}. */
export interface ComposeArtifactOptions extends AbortOptions {
  /** Kind of the artifact, a media type: `application/vnd.example.report`. */
  readonly artifactType: string
  /** The blobs of the artifact, or descriptors of stored blobs. None: the artifact is its annotations. */
  readonly layers?: readonly (ArtifactLayer | Descriptor)[] | undefined
  /** The manifest or index that the artifact refers to, as a signature, an SBOM or a report does. */
  readonly subject?: Descriptor | undefined
  /** Config of the artifact. @defaultValue the empty config */
  readonly config?:
    | {
        /** Content of the config. */
        readonly content: ArtifactContent
        /** Media type of the config. */
        readonly mediaType: string
      }
    | undefined
  /** Annotations of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** A composed artifact. */
export interface Artifact {
  /** Descriptor of its manifest. */
  readonly descriptor: Descriptor
  /** The manifest. */
  readonly manifest: ImageManifest
}

/** SPEC: a manifest has at least one layer; an artifact without content lists the empty blob (manifest.md, layers). */
const EMPTY = Buffer.from('{}')

/**
 * Composes an artifact, anything that is kept in a registry beside images, and writes its blobs and its manifest to the
 * store. Equal input gives equal digests. The artifact gets no name: call `store.references.set` with the descriptor,
 * or {@link attachArtifact} to push it to the repository of its subject.
 *
 * @example
 * ```ts
 * const report = await composeArtifact(store, {
 *   artifactType: 'application/vnd.example.report', layers: [{ title: 'report.json', content: '{}' }],
 * })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an artifact type that is no media type;
 * `ERR_INVALID_DESCRIPTOR` for a wrong subject or media type; the errors of the content and of the store.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage | image-spec: artifacts}
 */
export async function composeArtifact(store: Store, options: ComposeArtifactOptions): Promise<Artifact> {
  const { artifactType, layers = [], subject, config, annotations, signal } = options
  keepContentFaults([...layers, config])
  checkArtifactType(artifactType)
  await using _lease = await store.leases.hold({ label: 'compose an artifact', signal })
  const stored: Descriptor[] = []
  for (const layer of layers) stored.push(await storeLayer(store, layer, { signal }))
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    artifactType,
    config: config ? await storeLayer(store, config, { signal }) : await storeEmpty(store, { signal }),
    layers: stored.length > 0 ? stored : [await storeEmpty(store, { signal })],
    ...(subject ? { subject: plain(subject) } : {}),
    ...(annotations && Object.keys(annotations).length > 0 ? { annotations } : {}),
  }
  const info = await store.put(canonicalJson(manifest), { signal })
  return { descriptor: { mediaType: MediaType.OciManifest, ...info }, manifest }
}

/** SPEC: with the empty config, the artifact type is required, and it is a media type (RFC 6838). */
function checkArtifactType(artifactType: unknown): void {
  const isType = typeof artifactType === 'string' && /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/.test(artifactType)
  if (isType) return
  const shown = JSON.stringify(artifactType) ?? 'missing'
  const message = `artifactType must be a media type, such as application/vnd.example.report, is ${shown}`
  throw new FormatError('ERR_INVALID_ARGUMENT', message)
}

async function storeLayer(store: Store, layer: ArtifactLayer | Descriptor, options: AbortOptions): Promise<Descriptor> {
  if (!('content' in layer)) return parseDescriptor(layer)
  const { content, mediaType = 'application/octet-stream', title, annotations } = layer
  const source = typeof content === 'function' ? content() : content
  const info = await store.put(typeof source === 'string' ? Buffer.from(source) : source, options)
  const notes = { ...annotations, ...(title === undefined ? {} : { [Annotation.Title]: title }) }
  const descriptor = { mediaType, ...info, ...(Object.keys(notes).length > 0 ? { annotations: notes } : {}) }
  return parseDescriptor(descriptor)
}

/** The empty blob carries its content, so that a reader needs no request for it. */
async function storeEmpty(store: Store, options: AbortOptions): Promise<Descriptor> {
  const info = await store.put(EMPTY, options)
  return { mediaType: MediaType.OciEmpty, ...info, data: EMPTY.toString('base64') }
}

/** SPEC: the subject is a descriptor of media type, digest and size. */
function plain(subject: Descriptor): Descriptor {
  const { mediaType, digest, size } = parseDescriptor(subject)
  return { mediaType, digest, size }
}
