import type { Image } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { flattenImage, openUnionView } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'
import { type TarInput, writeTar } from '../../tar/index.ts'

/**
 * Yields the root filesystems of images as one tar archive. Several platforms have a directory each, such as
 * `linux_amd64/`.
 */
export function rootTar(
  store: Store,
  images: readonly (Image & { readonly platform: string })[],
  { signal }: AbortOptions,
): AsyncIterable<Uint8Array> {
  return writeTar(entriesOf(store, images, { signal }), { signal })
}

async function* entriesOf(
  store: Store,
  images: readonly (Image & { readonly platform: string })[],
  { signal }: AbortOptions,
): AsyncGenerator<TarInput, void, undefined> {
  for (const image of images) {
    const below = images.length === 1 ? undefined : directoryOf(image.platform)
    if (below !== undefined) yield { path: below, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 }
    for await (const entry of flattenImage(await openUnionView(store, image, { signal }), { signal })) {
      if (below === undefined) yield entry
      else if (entry.path !== '.') yield moved(entry, below)
    }
  }
}

/** Name of the directory of a platform among several, as BuildKit has it. */
export function directoryOf(platform: string): string {
  return platform.replaceAll('/', '_')
}

function moved(entry: TarInput, below: string): TarInput {
  const linkname = entry.type === 'hardlink' ? { linkname: `${below}/${entry.linkname}` } : {}
  return { ...entry, path: `${below}/${entry.path}`, ...linkname }
}
