import { findDescriptor, readImage } from '../../../image/index.ts'
import { type Descriptor, parsePlatform } from '../../../oci/index.ts'
import { readDocument } from '../../../store/index.ts'
import { type OpenedImage, openImage } from '../../reading/open-image.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from './inspect.ts'

/**
 * `manifest NAME`: prints the manifest or index that a name refers to, byte for byte; with `--platform` the manifest of
 * that platform.
 */
export async function manifest(session: Session, name: string, options: PlatformOption): Promise<void> {
  const image = await openImage(session, name)
  const descriptor = await documentOf(session, image, options)
  session.raw(await readDocument(image.blobs, descriptor, { signal: session.signal }))
}

/** `config NAME`: prints the config of an image, byte for byte. */
export async function config(session: Session, name: string, options: PlatformOption): Promise<void> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { blobs, name: found } = await openImage(session, name)
  const { signal } = session
  const image = await readImage(blobs, found, { platform, signal })
  session.raw(await readDocument(blobs, image.manifest.config, { signal }))
}

/**
 * `digest NAME`: prints the digest that a name refers to; with `--platform` that of the image for that platform. Of an
 * image in a registry no document is fetched unless `--platform` is given.
 */
export async function digest(session: Session, name: string, options: PlatformOption): Promise<void> {
  const image = await openImage(session, name)
  const { mediaType, digest: found, size } = await documentOf(session, image, options)
  session.result(found, { name, mediaType, digest: found, size })
}

async function documentOf(session: Session, image: OpenedImage, { platform }: PlatformOption): Promise<Descriptor> {
  const { signal } = session
  const wanted = platform ? parsePlatform(platform) : undefined
  if (wanted) return (await readImage(image.blobs, image.name, { platform: wanted, signal })).descriptor
  return findDescriptor(image.blobs, image.name, { signal })
}
