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

/** How to find out what a layer is. */
export interface DescribeLayerOptions extends AbortOptions {
  /** Which family of media types to use. */
  readonly mediaTypes: 'oci' | 'docker'
  /** What computes digests. */
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
 * The descriptor of a layer in an archive of docker, which only the config says something about: its diffId.
 *
 * A layer that is not compressed is its own diffId; whoever reads it proves that. A compressed one has a digest that
 * nobody says, so it is read for that, and its diffId is proven on the way.
 *
 * @throws {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`, and as {@link decompress}.
 */
export async function describeLayer(
  member: Member,
  diffId: Digest,
  options: DescribeLayerOptions,
): Promise<Descriptor> {
  const type = detectCompression(await collectBytes(member.read({ length: 8, signal: options.signal }), 8, 'layer'))
  const describe = (digest: Digest) => ({
    // Of a compression that is not read here, reading the layer tells.
    mediaType: MEDIA_TYPES[options.mediaTypes][type] ?? MediaType.OciLayer,
    digest,
    size: member.size,
  })
  if (type === 'none' && (member.digest === undefined || member.digest === diffId)) return describe(diffId)
  return describe(await proveDiffId(member, diffId, options))
}

/** The digest of a layer whose content has the diffId. */
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
