import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import type { Store } from '../../store/index.ts'
import { download } from '../fetch/download.ts'
import { fileNameOf } from '../keys/step-parts.ts'
import { isTar } from './is-tar.ts'
import { createMemoryTree } from './memory-tree.ts'
import { openTarTree } from './open-tar-tree.ts'
import type { SourceTree } from './source-tree.ts'

/** Options of {@link openUrlTree}. */
export interface OpenUrlTreeOptions extends AbortOptions {
  readonly store: Store
  readonly name: string
}

/** SAFETY: a file that is no archive is kept in memory; it is a Dockerfile. */
const MOST_BYTES = 4 * 1024 * 1024

/**
 * Opens the file at an address as a source tree: the members of a tar archive, else the file alone. A file that was
 * downloaded before is sent again only if it has changed.
 *
 * @throws {@link BuildError} `ERR_BUILD_FETCH`; the errors of {@link openTarTree}; {@link LimitError}
 * `ERR_LIMIT_EXCEEDED` for a file over 4 MiB that is no archive.
 */
export async function openUrlTree(
  url: string,
  { store, name, signal }: OpenUrlTreeOptions,
): Promise<{ readonly tree: SourceTree; readonly close: () => Promise<void> }> {
  const lease = await store.leases.hold({ label: 'build context', signal })
  try {
    const { digest } = await download(store, url, undefined, { signal })
    await lease.add(digest)
    if ((await isTar(store.read(digest, { signal }), { signal })) !== false) {
      // Compressed with bzip2 or xz, it is refused by name.
      return await openTarTree(store.read(digest, { signal }), { store, name, signal })
    }
    const content = await collectBytes(store.read(digest, { signal }), MOST_BYTES, `bytes of ${name}`)
    const tree = createMemoryTree([{ path: fileNameOf(url), type: 'file', content, mode: 0o644 }], { name })
    return { tree, close: async () => {} }
  } finally {
    await lease.release()
  }
}
