import { parsePlatform } from '../../oci/index.ts'
import { describe } from '../inspecting/describe.ts'
import { findStored, inspectStored } from '../inspecting/inspect-stored.ts'
import type { Session } from '../session.ts'

/** Options of `inspect`, `manifest` and `config`. */
export interface PlatformOption {
  readonly platform?: string
}

/** `inspect NAME`: describes a stored image, index, artifact, cache or other blob. */
export async function inspect(session: Session, name: string, options: PlatformOption): Promise<void> {
  const store = await session.store()
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal } = session
  const root = await findStored(store, name, { signal })
  const found = await inspectStored(store, root, { platform, signal })
  session.result(describe(name, root, found), { name, root, ...found })
}
