import type { WriterOptions } from '../../lib/rootfs/unpack/entries/writer-options.ts'
import type { XattrSetter } from '../../lib/rootfs/unpack/entries/xattrs.ts'
import type { SkippedDetail } from '../../lib/rootfs/unpack/unpack-report.ts'
import { LayerFeeder } from '../../lib/rootfs/unpack/writer/layer-feeder.ts'
import { unpackFault } from '../../lib/rootfs/unpack/writer/writer-fault.ts'
import type { WriterAnswer, WriterRequest } from '../../lib/rootfs/unpack/writer/writer-messages.ts'
import { WriterService } from '../../lib/rootfs/unpack/writer/writer-service.ts'
import { readTar } from '../../lib/tar/index.ts'
import { type RawEntry, rawTar } from './raw-tar.ts'

/** Unpacks hand-made layers with options that `unpackLayers` works out by itself, and with a setter of attributes. */
export async function unpackWith(
  layers: readonly (readonly RawEntry[])[],
  target: string,
  options: Partial<WriterOptions> = {},
  setXattr?: XattrSetter,
): Promise<SkippedDetail[]> {
  const service = new WriterService(async () => setXattr)
  const ask = async (request: WriterRequest): Promise<WriterAnswer> => {
    const answer = await service.answer(request)
    if (answer.fault) throw unpackFault(answer.fault)
    return answer
  }
  const feeder = new LayerFeeder({ ask, stop: async () => undefined }, () => {})
  try {
    await ask({ act: 'open', directory: target, options: { ...DEFAULTS, ...options } })
    for (const layer of layers) await feeder.feed('sha256:test', readTar([rawTar(layer)]))
    const { skipped = [] } = await ask({ act: 'finish' })
    return [...feeder.skipped, ...skipped]
  } catch (error) {
    await feeder.settle()
    await ask({ act: 'discard' })
    throw error
  }
}

const DEFAULTS: WriterOptions = {
  rootless: process.geteuid?.() !== 0,
  keepSetId: process.geteuid?.() === 0,
  whiteouts: 'apply',
  devices: 'auto',
  overwrite: false,
  handles: 'proc',
  foldsNames: false,
  windowsNames: false,
}
