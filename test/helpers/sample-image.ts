import { composeImage, type Image } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import type { RunConfig } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'

/** Composes an image with one layer for each record of files, and names it if a name is given. */
export async function sampleImage(
  store: Store,
  layers: readonly Record<string, string | Uint8Array>[],
  options: { name?: string; config?: RunConfig; architecture?: string } = {},
): Promise<Image> {
  const written = []
  for (const files of layers) {
    const entries = Object.entries(files).map(
      ([path, content]) => ({ path, type: 'file', content: Buffer.from(content) }) as const,
    )
    written.push(await writeLayer(store, entries))
  }
  const platform = { os: 'linux', architecture: options.architecture ?? 'amd64' }
  const image = await composeImage(store, {
    layers: written,
    platform,
    ...(options.config && { config: options.config }),
  })
  if (options.name) await store.references.set(options.name, image.descriptor)
  return image
}
