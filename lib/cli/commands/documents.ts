import { findDescriptor, readImage } from '../../image/index.ts'
import { parsePlatform } from '../../oci/index.ts'
import { readDocument } from '../../store/index.ts'
import type { Session } from '../session.ts'
import type { PlatformOption } from './inspect.ts'

/**
 * `manifest NAME`: prints the manifest or index that a name refers to, byte for byte; with `--platform` the manifest of
 * that platform.
 */
export async function manifest(session: Session, name: string, options: PlatformOption): Promise<void> {
  const store = await session.store()
  const { signal } = session
  const root = await findDescriptor(store, name, { signal })
  const descriptor = options.platform
    ? (await readImage(store, root, { platform: parsePlatform(options.platform), signal })).descriptor
    : root
  session.raw(await readDocument(store, descriptor, { signal }))
}

/** `config NAME`: prints the config of an image, byte for byte. */
export async function config(session: Session, name: string, options: PlatformOption): Promise<void> {
  const store = await session.store()
  const { signal } = session
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const image = await readImage(store, await findDescriptor(store, name, { signal }), { platform, signal })
  session.raw(await readDocument(store, image.manifest.config, { signal }))
}
