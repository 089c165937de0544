import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { composeImage, type Image } from '../../lib/image/index.ts'
import { fromDirectory, writeLayer } from '../../lib/layer/index.ts'
import { hostPlatform, type RunConfig } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { makeBusyboxRoot } from './busybox-root.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Stores an image with a shell under a name: busybox of this machine. */
export async function storeBusyboxImage(
  store: Store,
  name: string,
  { config, fill }: { config?: RunConfig; fill?: (root: string) => void } = {},
): Promise<Image> {
  using place = temporaryDirectory('busybox-image')
  const root = join(place.path, 'root')
  mkdirSync(root)
  makeBusyboxRoot(root)
  fill?.(root)
  const layer = await writeLayer(store, fromDirectory(root))
  const image = await composeImage(store, { layers: [layer], config: config ?? {}, platform: hostPlatform() })
  await store.references.set(name, image.descriptor)
  return image
}
