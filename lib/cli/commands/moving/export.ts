import { once } from 'node:events'
import { writeArchiveFile } from '../../../archive/index.ts'
import { compress } from '../../../compression/index.ts'
import { readImage } from '../../../image/index.ts'
import { parsePlatform } from '../../../oci/index.ts'
import { exportImage, openUnionView } from '../../../rootfs/index.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import type { Session } from '../../session/session.ts'
import { compressionOf } from '../composing/writing-policies.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `export`. */
export interface ExportOptions extends PlatformOption {
  readonly output?: string
  readonly compression?: string
}

/** `export NAME -o FILE`: writes the root filesystem of an image as one tar, whiteouts applied. */
export async function exportRootfs(session: Session, name: string, options: ExportOptions): Promise<void> {
  const { output = '-' } = options
  notEmpty(output, 'the file of --output')
  const type = compressionOf(options.compression ?? 'none')
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal, hasher } = session
  if (output === '-') refuseTerminal(session)
  const { blobs, name: found, isRemote } = await openImage(session, name)
  const image = await readImage(blobs, found, { platform, signal })
  if (!isRemote) await refuseMissingLayers(blobs, image, signal)
  const view = await openUnionView(blobs, image, { signal, hasher })
  const tar = compress(exportImage(view, { signal, hasher }), { type, signal })
  if (output === '-') return toStdout(session, tar)
  const bytes = await writeArchiveFile(output, tar)
  session.note(`${output}: ${view.entries} entries, ${formatBytes(bytes)}`)
  session.result(output, { file: output, name, digest: image.descriptor.digest, entries: view.entries, bytes })
}

function refuseTerminal({ json, terminal }: Session): void {
  if (json) throw new UsageError('an archive on stdout leaves no place for --json: give a file with -o')
  if (terminal.stdout.isTTY) {
    throw new UsageError('an archive is not written to a terminal: give a file with -o, or redirect')
  }
}

async function toStdout({ terminal, signal }: Session, tar: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of tar) {
    if (!terminal.stdout.write(chunk)) await once(terminal.stdout, 'drain', { signal })
  }
}
