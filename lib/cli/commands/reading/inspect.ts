import { parsePlatform } from '../../../oci/index.ts'
import { describe } from '../../inspecting/describe.ts'
import { dockerDocument } from '../../inspecting/docker-document.ts'
import { findStored, inspectStored } from '../../inspecting/inspect-stored.ts'
import { formatDocument } from '../../printing/format-document.ts'
import { printJson } from '../../printing/print.ts'
import { openImage } from '../../reading/open-image.ts'
import type { Session } from '../../session/session.ts'

/** Options of `inspect`, `manifest` and `config`. */
export interface PlatformOption {
  readonly platform?: string
}

/** Options of `inspect`. */
export interface InspectCommandOptions extends PlatformOption {
  readonly format?: string
}

/** `inspect NAME`: describes an image, index, artifact, cache or other blob, in the store or in a registry. */
export async function inspect(session: Session, name: string, options: InspectCommandOptions): Promise<void> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const image = await openImage(session, name)
  const { signal } = session
  const root = await findStored(image.blobs, image.name, { signal })
  const found = await inspectStored(image.blobs, root, { platform, isRemote: image.isRemote, signal })
  if (options.format !== undefined && options.format !== 'json') {
    const document = dockerDocument(image.name, root, found)
    return session.raw(Buffer.from(`${formatDocument(options.format, document)}\n`))
  }
  if (options.format === 'json') return printJson(session.terminal.stdout, [dockerDocument(image.name, root, found)])
  session.result(describe(name, root, found), { name, root, ...found })
}
