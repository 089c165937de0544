import { once } from 'node:events'
import { writeArchiveFile } from '../../../archive/index.ts'
import { type CompressionType, compress } from '../../../compression/index.ts'
import { LayerStoreError } from '../../../errors/index.ts'
import { readImage } from '../../../image/index.ts'
import { type Platform, parsePlatform } from '../../../oci/index.ts'
import { exportImage, openUnionView } from '../../../rootfs/index.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { type OpenedImage, openImage } from '../../reading/open-image.ts'
import { refuseMissingLayers } from '../../reading/refuse-missing-layers.ts'
import { verifyOpened } from '../../reading/verify-opened.ts'
import { openSandbox } from '../../running/open-sandbox.ts'
import type { Session } from '../../session/session.ts'
import { checkPolicyFile, type PolicyOption } from '../../signing/policy-of.ts'
import { compressionOf } from '../composing/writing-policies.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `export`. */
export interface ExportOptions extends PlatformOption, PolicyOption {
  readonly output?: string
  readonly compression?: string
}

/** `export NAME|ID -o FILE`: writes the root filesystem of an image or a container as one tar, whiteouts applied. */
export async function exportRootfs(session: Session, name: string, options: ExportOptions): Promise<void> {
  const { output = '-' } = options
  notEmpty(output, 'the file of --output')
  const type = compressionOf(options.compression ?? 'none')
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const { signal, hasher } = session
  if (output === '-') refuseTerminal(session)
  await checkPolicyFile(options)
  const opened = await openImage(session, name).catch((error: unknown) => error)
  if (opened instanceof Error) return exportContainer(session, name, { output, type, platform }, opened)
  const { blobs, name: found, isRemote } = opened as OpenedImage
  const image = await readImage(blobs, found, { platform, signal })
  await verifyOpened(session, name, opened as OpenedImage, image.descriptor, options)
  if (!isRemote) await refuseMissingLayers(blobs, image, signal)
  const view = await openUnionView(blobs, image, { signal, hasher })
  const tar = compress(exportImage(view, { signal, hasher }), { type, signal })
  if (output === '-') return toStdout(session, tar)
  const bytes = await writeArchiveFile(output, tar)
  session.note(`${output}: ${view.entries} entries, ${formatBytes(bytes)}`)
  session.result(output, { file: output, name, digest: image.descriptor.digest, entries: view.entries, bytes })
}

interface ContainerExport {
  readonly output: string
  readonly type: CompressionType
  readonly platform: Platform | undefined
}

/**
 * Exports a container, as `docker export` does. Throws `noImage` if no container has this id either; a store in a
 * bucket has none.
 */
async function exportContainer(
  session: Session,
  id: string,
  { output, type, platform }: ContainerExport,
  noImage: Error,
): Promise<void> {
  const { signal, advice } = session
  const isUnknown = LayerStoreError.is(noImage) && UNKNOWN.includes(noImage.code)
  const store = isUnknown && !session.isStoreShared ? await session.storeIfAny() : undefined
  if (!store) throw noImage
  session.advice = undefined
  await using sandbox = await openSandbox(session)
  const { openContainer } = await import('../../../sandbox/index.ts')
  await using container = await openContainer(store, id, { sandbox }).catch((error: unknown) => {
    if (!LayerStoreError.is(error) || error.code !== 'ERR_CONTAINER_NOT_FOUND') throw error
    session.advice = advice
    throw noImage
  })
  if (platform) throw new UsageError(`--platform chooses an image; ${id} is a container`)
  const tar = compress(container.export({ signal }), { type, signal })
  if (output === '-') return toStdout(session, tar)
  const bytes = await writeArchiveFile(output, tar)
  session.note(`${output}: ${formatBytes(bytes)}`)
  session.result(output, { file: output, id: container.id, bytes })
}

/** Codes of a name that no image has; ids of containers need not be valid names of images. */
const UNKNOWN: readonly string[] = ['ERR_REFERENCE_NOT_FOUND', 'ERR_INVALID_REFERENCE']

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
