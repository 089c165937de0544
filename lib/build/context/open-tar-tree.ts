import { decompress } from '../../compression/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type ByteSource, keepFault } from '../../internal/byte-source.ts'
import { MediaType } from '../../oci/index.ts'
import { openUnionView } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'
import type { SourceTree } from './source-tree.ts'
import { createViewTree } from './view-tree.ts'

/** Options of {@link openTarTree}. */
export interface OpenTarTreeOptions extends AbortOptions {
  readonly store: Store
  readonly name: string
}

/**
 * Opens a tar archive, plain or compressed, as a source tree. The archive becomes an uncompressed blob of the store, so
 * that memory does not grow with it; a lease keeps the blob until the tree is closed, then collections remove it.
 *
 * @throws {@link FormatError} `ERR_INVALID_TAR`, `ERR_INVALID_COMPRESSION`, `ERR_UNSUPPORTED_COMPRESSION`.
 */
export async function openTarTree(
  source: ByteSource,
  { store, name, signal }: OpenTarTreeOptions,
): Promise<{ readonly tree: SourceTree; readonly close: () => Promise<void> }> {
  keepFault(source)
  const lease = await store.leases.hold({ label: 'build context', signal })
  try {
    const { digest, size } = await store.put(decompress(source, { signal }), { signal })
    const layer = { descriptor: { mediaType: MediaType.OciLayer, digest, size }, diffId: digest }
    const view = await openUnionView(store, [layer], { signal })
    return { tree: createViewTree(view, name, { keepsOwners: false }), close: () => lease.release() }
  } catch (error) {
    await lease.release()
    throw error
  }
}
