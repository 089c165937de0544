import { collectBytes } from '../../../internal/collect-bytes.ts'
import type { UnionView, ViewEntry } from '../../../rootfs/index.ts'
import type { TarInput } from '../../../tar/index.ts'
import type { AccountFiles } from '../../accounts/read-accounts.ts'

const FILES = ['etc/passwd', 'etc/group']
/** SAFETY: a container decides the size of its files. The limit is that of accounts in images. */
const MOST_BYTES = 10 * 1024 * 1024

/**
 * Resolves to the account files of a container: those that it has written, else those of its image. A file that became
 * a link is looked for in the image.
 */
export async function accountFiles(view: UnionView, changes: AsyncIterable<TarInput>): Promise<AccountFiles> {
  const written = new Map<string, Uint8Array>()
  for await (const { path, type, content } of changes) {
    if (type !== 'file' || content === undefined || !FILES.includes(path)) continue
    const source = typeof content === 'function' ? await content() : content
    const bytes = typeof source === 'string' ? Buffer.from(source) : source
    written.set(path, await collectBytes(bytes, MOST_BYTES, `bytes of /${path} of the container`))
  }
  return {
    stat(path, options) {
      const bytes = written.get(path)
      const entry = view.stat(path, options)
      return bytes ? ({ ...entry, path, type: 'file', size: bytes.byteLength } as ViewEntry) : entry
    },
    async *read(path, options) {
      const bytes = written.get(path)
      if (bytes) yield bytes
      else yield* view.read(path, options)
    },
  }
}
