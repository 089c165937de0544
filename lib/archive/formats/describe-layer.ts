import { decompress, detectCompression } from '../../compression/index.ts'
import {
  createStreamDigester,
  type Digest,
  type HasherEngine,
  type StreamDigester,
  splitDigest,
} from '../../digest/index.ts'
import { DiffIdMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { type Descriptor, MediaType } from '../../oci/index.ts'
import type { Member } from '../members/member.ts'

/** Options of {@link describeLayer}. */
export interface DescribeLayerOptions extends AbortOptions {
  /** Family of media types to use. */
  readonly mediaTypes: 'oci' | 'docker'
  /** Engine that computes digests. */
  readonly hasher?: HasherEngine | undefined
}

const MEDIA_TYPES: Readonly<Record<'oci' | 'docker', Readonly<Record<string, string>>>> = {
  oci: { none: MediaType.OciLayer, gzip: MediaType.OciLayerGzip, zstd: MediaType.OciLayerZstd },
  docker: {
    none: MediaType.DockerLayer,
    gzip: MediaType.DockerLayerGzip,
    zstd: `${MediaType.DockerLayer}.zstd`,
  },
}

/**
 * Resolves to the descriptor of a layer in docker's format, where only the config describes the layer, by its diffID.
 *
 * The digest of an uncompressed layer is its diffID; the reader of the layer verifies it. The digest of a compressed
 * layer is not stated in the archive, so the layer is read to compute it, and its diffID is proven in the same pass.
 *
 * @throws {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`, and the errors of {@link decompress}.
 */
export async function describeLayer(
  member: Member,
  diffId: Digest,
  options: DescribeLayerOptions,
): Promise<Descriptor> {
  const type = detectCompression(await collectBytes(member.read({ length: 8, signal: options.signal }), 8, 'layer'))
  const describe = (digest: Digest) => ({
    // An unsupported compression has no entry; reading the layer reports it.
    mediaType: MEDIA_TYPES[options.mediaTypes][type] ?? MediaType.OciLayer,
    digest,
    size: member.size,
  })
  if (type === 'none' && (member.digest === undefined || member.digest === diffId)) return describe(diffId)
  return describe(await proveDiffId(member, diffId, options))
}

/** Resolves to the digest of a compressed layer, after its content was compared with the diffID. */
async function proveDiffId(member: Member, diffId: Digest, { hasher, signal }: DescribeLayerOptions): Promise<Digest> {
  const outer = member.digest ? undefined : await createStreamDigester({ hasher })
  const inner = await createStreamDigester({ ...splitDigest(diffId), hasher })
  try {
    const content = member.read({ signal })
    const opened = decompress(outer ? hashed(content, outer) : content, { signal })
    for await (const chunk of opened) await inner.update(chunk)
    const digest = member.digest ?? (await outer!.digest())
    const actual = await inner.digest()
    if (actual !== diffId) throw new DiffIdMismatchError({ layer: digest, expected: diffId, actual })
    return digest
  } finally {
    outer?.release()
    inner.release()
  }
}

async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  digester: StreamDigester,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    await digester.update(chunk)
    yield chunk
  }
}
