import { type Digest, digestOf, type HasherEngine, splitDigest } from '../../digest/index.ts'
import { DigestMismatchError, FormatError } from '../../errors/index.ts'
import { composeManifest } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { type Descriptor, Limits, MediaType, parseConfig } from '../../oci/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import type { Member } from '../members/member.ts'
import type { MemberTable } from '../members/member-table.ts'
import type { DockerEntry } from './archive-entry.ts'
import { describeLayer } from './describe-layer.ts'
import { readMember } from './read-member.ts'

/** Options of {@link composeDockerImage}. */
export interface ComposeDockerImageOptions extends AbortOptions {
  /** Kind of manifest to write. */
  readonly manifestFormat: 'oci' | 'docker'
  /** Engine that computes digests. */
  readonly hasher?: HasherEngine | undefined
  /**
   * Layers that were already described, by path and diffID. PERF: images share layers, and reading a compressed one
   * takes long.
   */
  readonly described: Map<string, DescribedLayer>
}

/** A layer and its descriptor. */
export interface DescribedLayer {
  readonly descriptor: Descriptor
  readonly diffId: Digest
}

/** An image of docker with its composed manifest. */
export interface ComposedDockerImage {
  /** Descriptor of the manifest. */
  readonly descriptor: Descriptor
  /** Bytes of the manifest. */
  readonly manifest: Uint8Array
  /** The blobs that the manifest names, as members of the archive. */
  readonly blobs: ReadonlyMap<Digest, Member>
}

/**
 * Composes the manifest of an image in docker's format. Config and layers, also uncompressed layers, are kept byte for
 * byte. The same archive gives the same manifest.
 */
export async function composeDockerImage(
  members: MemberTable,
  entry: DockerEntry,
  options: ComposeDockerImageOptions,
): Promise<ComposedDockerImage> {
  const blobs = new Map<Digest, Member>()
  const fileAt = (path: string, at: string) => {
    const member = members.follow(path)
    if (!member) throw invalidArchive(`no file ${JSON.stringify(path)} in it`, `${entry.at}.${at}`)
    return member
  }
  const configFile = fileAt(entry.config, 'Config')
  const bytes = await readMember(configFile, Limits.configBytes, options)
  const diffIds = parseConfig(bytes).rootfs.diff_ids
  if (diffIds.length !== entry.layers.length) {
    const message = `image config lists ${diffIds.length} layers, ${entry.at} ${entry.layers.length}`
    throw new FormatError('ERR_INVALID_CONFIG', message, { at: 'rootfs.diff_ids' })
  }
  const config = {
    mediaType: MediaType.DockerConfig,
    digest: await configDigest(configFile, bytes),
    size: bytes.byteLength,
  }
  blobs.set(config.digest, configFile)
  const layers: Descriptor[] = []
  for (const [i, path] of entry.layers.entries()) {
    const member = fileAt(path, `Layers[${i}]`)
    const { manifestFormat: mediaTypes, hasher, signal } = options
    const diffId = diffIds[i]!
    const key = `${diffId} ${member.path}`
    const known = options.described.get(key)
    const layer = known?.descriptor ?? (await describeLayer(member, diffId, { mediaTypes, hasher, signal }))
    options.described.set(key, { descriptor: layer, diffId })
    blobs.set(layer.digest, member)
    layers.push(layer)
  }
  return { ...(await manifestOf(config, layers, options.manifestFormat)), blobs }
}

/**
 * SAFETY: the path of a config may be that of a blob with another digest. Readers that trust the path would see another
 * image, so a mismatch is an error.
 */
async function configDigest({ digest, path }: Member, bytes: Uint8Array): Promise<Digest> {
  const actual = await digestOf(bytes, digest ? { algorithm: splitDigest(digest).algorithm } : {})
  if (digest === undefined || digest === actual) return actual
  throw new DigestMismatchError({ expected: digest, actual, what: `config ${path}` })
}

async function manifestOf(
  config: Descriptor,
  layers: readonly Descriptor[],
  format: 'oci' | 'docker',
): Promise<{ descriptor: Descriptor; manifest: Uint8Array }> {
  const mediaType = format === 'oci' ? MediaType.OciManifest : MediaType.DockerManifest
  const document =
    format === 'oci' ? composeManifest({ config, layers }) : { schemaVersion: 2, mediaType, config, layers }
  const manifest = canonicalJson(document)
  return { descriptor: { mediaType, digest: await digestOf(manifest), size: manifest.byteLength }, manifest }
}
