import { decompress } from '../../compression/index.ts'
import type { Digest } from '../../digest/index.ts'
import { DigestMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import type { Store } from '../../store/index.ts'
import { readTar, type TarEntry } from '../../tar/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import { ArchiveLimits } from '../limits.ts'
import type { Member, ReadMemberOptions } from './member.ts'
import { blobDigest, MemberTable } from './member-table.ts'

/** Options of {@link takeStream}. */
export interface TakeStreamOptions extends AbortOptions {
  /** Maximum decompressed size in bytes. */
  readonly maxBytes?: number | undefined
}

/** The documents that describe the rest of the archive, with their maximum sizes. */
const DOCUMENTS: ReadonlyMap<string, number> = new Map([
  ['oci-layout', ArchiveLimits.layoutBytes],
  ['index.json', ArchiveLimits.indexBytes],
  ['manifest.json', ArchiveLimits.dockerManifestBytes],
])

/** Content of an archive that was read from a stream. */
export interface TakenArchive {
  readonly members: MemberTable
  /** Digests of the stored files whose path in the archive is not that of a blob. */
  readonly unnamed: ReadonlySet<Digest>
}

/**
 * Stores an archive that can be read only once: every file goes into the store when it arrives, blobs under the digest
 * in their path. If the content does not match that digest, the mismatch is recorded. It counts only if an image needs
 * the blob, which the list of images tells, and that list may come last.
 */
export async function takeStream(
  store: Store,
  source: ByteSource,
  options: TakeStreamOptions = {},
): Promise<TakenArchive> {
  const members = new MemberTable()
  const unnamed = new Set<Digest>()
  const { signal, maxBytes } = options
  for await (const entry of readTar(decompress(source, { signal, maxBytes }), { signal })) {
    if (entry.sparse) throw invalidArchive(`${JSON.stringify(entry.path)} is a sparse file`)
    const member = entry.type === 'file' ? await take(store, entry, options) : undefined
    members.add(entry, member)
    if (member?.digest && blobDigest(entry.path) === undefined) unnamed.add(member.digest)
  }
  return { members, unnamed }
}

async function take(store: Store, entry: TarEntry, { signal }: AbortOptions): Promise<Member> {
  const { path, size, content } = entry
  const limit = DOCUMENTS.get(path)
  if (limit !== undefined) {
    const bytes = await collectBytes(content, limit, `bytes of ${path}`)
    return { path, size, read: ({ offset = 0, length = size } = {}) => only(bytes.subarray(offset, offset + length)) }
  }
  try {
    const { digest } = await store.put(content, { digest: blobDigest(path), size, signal })
    return { path, size, digest, read: (wanted?: ReadMemberOptions) => store.read(digest, wanted) }
  } catch (error) {
    if (!(error instanceof DigestMismatchError)) throw error
    return { path, size, wrong: error, read: () => fail(error) }
  }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

// biome-ignore lint/correctness/useYield: it only throws
async function* fail(error: Error): AsyncGenerator<Uint8Array, void, undefined> {
  throw error
}
