import { parsePlatform } from '../../../oci/index.ts'
import { describe } from '../../inspecting/describe.ts'
import { findStored, inspectStored } from '../../inspecting/inspect-stored.ts'
import { openImage } from '../../reading/open-image.ts'
import type { Session } from '../../session/session.ts'

/** Options of `inspect`, `manifest` and `config`. */
export interface PlatformOption {
  readonly platform?: string
}

/** `inspect NAME`: describes an image, index, artifact, cache or other blob, in the store or in a registry. */
export async function inspect(session: Session, name: string, options: PlatformOption): Promise<void> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const image = await openImage(session, name)
  const { signal } = session
  const root = await findStored(image.blobs, image.name, { signal })
  const found = await inspectStored(image.blobs, root, { platform, isRemote: image.isRemote, signal })
  session.result(describe(name, root, found), { name, root, ...found })
}
