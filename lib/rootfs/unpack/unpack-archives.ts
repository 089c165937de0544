import type { WriterOptions } from './entries/writer-options.ts'
import { handlesHere } from './tree/handles-here.ts'
import type { UnpackOptions } from './unpack-options.ts'
import type { UnpackReport } from './unpack-report.ts'
import { LayerFeeder } from './writer/layer-feeder.ts'
import { startWriter, type Writer } from './writer/start-writer.ts'

/** A layer as something to unpack. */
export interface ArchiveSource {
  /** Digest, for errors. */
  readonly name: string
  /** Opens the uncompressed archive. The loop over it must end only if everything in it was proven. */
  readonly open: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** Looks for the reason behind an error about what the archive holds; gives the error to report. */
  readonly explain?: (error: unknown) => Promise<unknown>
}

/**
 * Writes layers, lowest first, to a directory; see {@link unpackLayers}. Each layer is opened once, when its turn has
 * come.
 */
export async function unpackArchives(
  layers: readonly ArchiveSource[],
  directory: string,
  options: UnpackOptions,
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
      await feeder.feed(name, open())
    }
    options.signal?.throwIfAborted()
    const { counts, skipped } = await writer.ask({ act: 'finish' })
    return { ...counts, skipped: [...feeder.skipped, ...skipped] }
  } catch (error) {
    await feeder.settle()
    await discard(writer, directory, options)
    throw (await layers[state.layer]?.explain?.(error)) ?? error
  } finally {
    await writer.stop()
  }
}

function writerOptions(options: UnpackOptions): WriterOptions {
  const rootless = options.rootless ?? process.geteuid?.() !== 0
  return {
    rootless,
    keepSetId: options.keepSetId ?? !rootless,
    whiteouts: options.whiteouts ?? 'apply',
    devices: options.devices ?? 'auto',
    overwrite: options.overwrite ?? false,
    handles: handlesHere(),
    foldsNames: false,
    windowsNames: process.platform === 'win32',
    limits: { ...options.limits, maxBytes: options.maxLayerBytes },
  }
}

/** Has everything removed that was written; tells the caller what could not be. */
async function discard(writer: Writer, directory: string, options: UnpackOptions): Promise<void> {
  let left: readonly string[]
  try {
    left = (await writer.ask({ act: 'discard' })).left
  } catch {
    // The writer itself is gone. The failure that led here is the one to be told.
    left = [directory]
  }
  if (left.length > 0) options.onLeft?.(left)
}
