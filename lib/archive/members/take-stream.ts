import { decompress } from '../../compression/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import type { Store } from '../../store/index.ts'
import { readTar, type TarEntry } from '../../tar/index.ts'
import { ArchiveLimits } from '../limits.ts'
import type { Member, ReadMemberOptions } from './member.ts'
import { blobDigest, MemberTable } from './member-table.ts'

/** How to take an archive in. */
export interface TakeStreamOptions extends AbortOptions {
  /** Bytes that may come out of a compressed archive. */
  readonly maxBytes?: number | undefined
}

/** What says how the rest is to be understood; the largest that it may be. */
const DOCUMENTS: ReadonlyMap<string, number> = new Map([
  ['oci-layout', ArchiveLimits.layoutBytes],
  ['index.json', ArchiveLimits.indexBytes],
  ['manifest.json', ArchiveLimits.dockerManifestBytes],
])

/**
 * Takes an archive in that can be read only once: every file goes into the store as it comes, blobs under the digest that
 * their name says, which is proven by that. What says which of them belong together may come last.
 */
export async function takeStream(
  store: Store,
  source: ByteSource,
  options: TakeStreamOptions = {},
): Promise<MemberTable> {
  const table = new MemberTable()
  const { signal, maxBytes } = options
  for await (const entry of readTar(decompress(source, { signal, maxBytes }), { signal })) {
    table.add(entry, isWanted(entry) ? await take(store, entry, options) : undefined)
  }
  return table
}

/** Old versions of docker put lists and configs of the first format beside the layers; nobody reads them any more. */
function isWanted({ path, type }: TarEntry): boolean {
  return type === 'file' && !/\/(VERSION|json)$|^repositories$/.test(path)
}

async function take(store: Store, entry: TarEntry, { signal }: AbortOptions): Promise<Member> {
  const { path, size, content } = entry
  const limit = DOCUMENTS.get(path)
  if (limit !== undefined) {
    const bytes = await collectBytes(content, limit, `bytes of ${path}`)
    return { path, size, read: ({ offset = 0, length = size } = {}) => only(bytes.subarray(offset, offset + length)) }
  }
  const { digest } = await store.put(content, { digest: blobDigest(path), size, signal })
  return { path, size, digest, read: (wanted?: ReadMemberOptions) => store.read(digest, wanted) }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}
