import type { XattrAccess } from '../../lib/internal/xattr-access.ts'
import { MarksFirst } from '../../lib/rootfs/unpack/entries/marks-first.ts'
import type { WriterOptions } from '../../lib/rootfs/unpack/entries/writer-options.ts'
import type { SkippedDetail } from '../../lib/rootfs/unpack/unpack-report.ts'
import { LayerFeeder } from '../../lib/rootfs/unpack/writer/layer-feeder.ts'
import { unpackFault } from '../../lib/rootfs/unpack/writer/writer-fault.ts'
import type { WriterAnswer, WriterRequest } from '../../lib/rootfs/unpack/writer/writer-messages.ts'
import { WriterService } from '../../lib/rootfs/unpack/writer/writer-service.ts'
import { type RawEntry, rawTar } from './raw-tar.ts'

const isRoot = process.geteuid?.() === 0

/**
 * Unpacks layers (archives, or entries for them) with internal options of `unpackLayers` and a setter of attributes.
 * Resolves to the skipped details; without root, when no owner is applied, without those about owners.
 */
export async function unpackWith(
  layers: readonly (readonly RawEntry[] | Buffer)[],
  target: string,
  options: Partial<WriterOptions> = {},
  setXattr?: XattrAccess['set'],
): Promise<SkippedDetail[]> {
  const write = (acts: readonly ('scan' | 'layer')[]) => writeBy(acts, layers, target, options, setXattr)
  try {
    return await write(options.overwrite ? ['scan', 'layer'] : ['layer'])
  } catch (error) {
    if (!(error instanceof MarksFirst)) throw error
    return write(['scan', 'layer'])
  }
}

async function writeBy(
  acts: readonly ('scan' | 'layer')[],
  layers: readonly (readonly RawEntry[] | Buffer)[],
  target: string,
  options: Partial<WriterOptions>,
  setXattr: XattrAccess['set'] | undefined,
): Promise<SkippedDetail[]> {
  const service = new WriterService(
    async () => setXattr && { set: setXattr, list: () => [], get: () => new Uint8Array() },
  )
  const ask = async (request: WriterRequest): Promise<WriterAnswer> => {
    const answer = await service.answer(request)
    if (answer.fault) throw unpackFault(answer.fault)
    return answer
  }
  const feeder = new LayerFeeder({ ask, stop: async () => undefined }, () => {})
  try {
    await ask({ act: 'open', directory: target, options: { ...writerOptions, ...options } })
    for (const layer of layers) {
      const archive = [Buffer.isBuffer(layer) ? layer : rawTar(layer as readonly RawEntry[])]
      for (const act of acts) await feeder.feed(act, 'sha256:test', archive)
    }
    const { skipped } = await ask({ act: 'finish' })
    return [...feeder.skipped, ...skipped].filter(({ what }) => isRoot || what !== 'owner')
  } catch (error) {
    await feeder.settle()
    await ask({ act: 'discard' })
    throw error
  }
}

/** Defaults of `unpackLayers`. */
export const writerOptions: WriterOptions = {
  rootless: !isRoot,
  keepSetId: isRoot,
  whiteouts: 'apply',
  devices: 'auto',
  overwrite: false,
  handles: 'proc',
  foldsNames: false,
  windowsNames: false,
}
