import { once } from 'node:events'
import { readImage } from '../../../image/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { openUnionView } from '../../../rootfs/index.ts'
import { openFileView } from '../../reading/open-file-view.ts'
import { openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from './inspect.ts'

/** `cat NAME PATH`: prints a file of an image, byte for byte. Links are followed inside the image. */
export async function cat(session: Session, name: string, path: string, options: PlatformOption): Promise<void> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal, hasher, terminal } = session
  const { blobs, name: found, isRemote } = await openImage(session, name)
  const image = await readImage(blobs, found, { platform, signal })
  await refuseMissingLayers(blobs, image, signal)
  // PERF: of an image in a registry only the layers are fetched that decide what the path leads to.
  const open = isRemote
    ? openFileView(blobs, image, path, { signal, hasher })
    : openUnionView(blobs, image, { signal, hasher })
  const view = await open
  const { stdout } = terminal
  for await (const chunk of view.read(path, { signal })) {
    if (!stdout.write(chunk)) await once(stdout, 'drain', { signal })
  }
}
