import { findXattrPackage } from '../../internal/xattr-access.ts'
import { findXattrProgram } from '../xattrs/xattr-program.ts'
import { MarksFirst } from './entries/marks-first.ts'
import type { WriterOptions } from './entries/writer-options.ts'
import { detectProcFd } from './tree/detect-proc-fd.ts'
import type { UnpackOptions } from './unpack-options.ts'
import type { UnpackReport } from './unpack-report.ts'
import { LayerFeeder } from './writer/layer-feeder.ts'
import { startWriter, type Writer } from './writer/start-writer.ts'

/**
 * A layer to unpack.
 *
 * @internal
 */
export interface ArchiveSource {
  /** Digest of the layer, for errors. */
  readonly name: string
  /** Opens the uncompressed archive. The loop over it must complete only if all its content was verified. */
  readonly open: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** Finds the cause of an error about the content of the archive; resolves to the error to report. */
  readonly explain?: (error: unknown) => Promise<unknown>
}

/**
 * Writes layers to a directory, lowest first; see {@link unpackLayers}. Each layer is opened once, when the layers
 * below it are written.
 *
 * Some whiteouts have an effect that is certain only before the first entry of their layer. If a layer has one,
 * everything is removed and written again, and each layer is opened twice: once for its whiteouts, once for its
 * entries. With `overwrite`, the previous content of the target could not be restored, so every layer is opened twice
 * from the start.
 *
 * @internal
 */
export async function unpackArchives(
  layers: readonly ArchiveSource[],
  directory: string,
  options: UnpackOptions,
): Promise<UnpackReport> {
  if (options.overwrite) return write(layers, directory, { ...options, marksFirst: true })
  try {
    return await write(layers, directory, { ...options, marksFirst: false })
  } catch (error) {
    if (!(error instanceof MarksFirst)) throw error
    return write(layers, directory, { ...options, marksFirst: true })
  }
}

async function write(
  layers: readonly ArchiveSource[],
  directory: string,
  options: UnpackOptions & { readonly marksFirst: boolean },
): Promise<UnpackReport> {
  options.signal?.throwIfAborted()
  const writer = await startWriter(options.writer ?? 'thread')
  const state = { layer: 0 }
  const feeder = new LayerFeeder(writer, counts => {
    options.onProgress?.({ ...counts, layer: state.layer, layers: layers.length })
  })
  try {
    await writer.ask({ act: 'open', directory, options: writerOptions(options) })
    for (const [index, { name, open }] of layers.entries()) {
      state.layer = index
      if (options.marksFirst) await feeder.feed('scan', name, open())
      await feeder.feed('layer', name, open())
    }
    options.signal?.throwIfAborted()
    const { counts, skipped } = await writer.ask({ act: 'finish' })
    return { ...counts, skipped: [...feeder.skipped, ...skipped] }
  } catch (error) {
    await feeder.settle()
    const left = await discard(writer, directory, options)
    if (error instanceof MarksFirst && left === 0) throw error
    const fault = error instanceof MarksFirst ? error.cause : error
    throw (await layers[state.layer]?.explain?.(fault)) ?? fault
  } finally {
    await writer.stop()
  }
}

function writerOptions(options: UnpackOptions): WriterOptions {
  const rootless = options.rootless ?? process.geteuid?.() !== 0
  const xattrPackage = findXattrPackage()
  return {
    rootless,
    keepSetId: options.keepSetId ?? !rootless,
    whiteouts: options.whiteouts ?? 'apply',
    devices: options.devices ?? 'auto',
    overwrite: options.overwrite ?? false,
    handles: detectProcFd(),
    foldsNames: false,
    windowsNames: process.platform === 'win32',
    xattrPackage,
    xattrProgram: xattrPackage === undefined ? findXattrProgram() : undefined,
    limits: { ...options.limits, maxBytes: options.maxLayerBytes },
  }
}

/** Removes everything that was written and reports the paths that could not be removed. Resolves to their number. */
async function discard(writer: Writer, directory: string, options: UnpackOptions): Promise<number> {
  let left: readonly string[]
  try {
    left = (await writer.ask({ act: 'discard' })).left
  } catch {
    // The writer itself has failed. The caller gets the original failure.
    left = [directory]
  }
  if (left.length > 0) options.onLeft?.(left)
  return left.length
}
