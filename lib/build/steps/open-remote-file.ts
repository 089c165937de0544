import { type Digest, isDigest } from '../../digest/index.ts'
import type { HttpSource } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Store } from '../../store/index.ts'
import type { SourceNode, SourceTree } from '../context/source-tree.ts'
import type { FileCopySource } from '../copy/file-copy.ts'
import { download } from '../fetch/download.ts'
import { shownAddress } from '../fetch/http-get.ts'
import { fileNameOf } from '../keys/step-parts.ts'
import { NotKnownYet } from '../session/not-known-yet.ts'

/** Options of {@link openRemoteFile}. */
export interface OpenRemoteFileOptions extends AbortOptions {
  /** True if the file may be downloaded; otherwise its content is known only by a checksum. */
  readonly mayFetch: boolean
  /** True if the content is needed, not only its digest. */
  readonly wantContent?: boolean | undefined
}

/** A file at an address, as a source of a copy. */
export interface RemoteFile extends FileCopySource {
  /** Digest of its content. */
  readonly digest: Digest
}

/** Mode of a downloaded file of ADD. */
const MODE = 0o600

/**
 * Opens a file at an address as a source of a copy. With a checksum nothing is downloaded before its content is read.
 */
export async function openRemoteFile(
  store: Store,
  { url, checksum, unpack: unpacks }: HttpSource,
  options: OpenRemoteFileOptions,
): Promise<RemoteFile> {
  const path = fileNameOf(url)
  // Set explicitly, because local archives of the same step are unpacked by default.
  const unpack = unpacks ?? false
  if (checksum !== undefined && !isDigest(checksum)) {
    throw new BuildError('ERR_BUILD_INVALID_STEP', `not a checksum, algorithm:hex: ${JSON.stringify(checksum)}`)
  }
  if (checksum !== undefined && !options.wantContent && !unpack) {
    const digest = checksum as Digest
    return { tree: treeOf(store, { path, digest, size: 0, mtime: 0 }), path, unpack, digest }
  }
  if (!options.mayFetch) throw new NotKnownYet(`${shownAddress(new URL(url))} must be downloaded first`)
  const { digest, size, mtime } = await download(store, url, checksum, options)
  return { tree: treeOf(store, { path, digest, size, mtime }), path, unpack, digest }
}

function treeOf(store: Store, file: { path: string; digest: Digest; size: number; mtime: number }): SourceTree {
  const node: SourceNode = { ...file, type: 'file', mode: MODE, uid: 0, gid: 0 }
  const root: SourceNode = { path: '.', type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 }
  return {
    name: 'the download',
    keepsOwners: false,
    stat: path => (path === '.' ? root : path === file.path ? node : undefined),
    list: path => (path === '.' ? [node] : []),
    digests: async files => files.map(() => file.digest),
    async *open(files, { signal } = {}) {
      for (const node of files) yield [{ node, content: () => store.read(file.digest, { signal }) }]
    },
  }
}
