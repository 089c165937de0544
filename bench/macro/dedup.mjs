import { layerstore } from '../contenders/layerstore.mjs'

const FAMILY = 'ten releases of one image'
const COPIES = 'one layer full of copies'

export const scenario = {
  name: 'dedup',
  question: 'How many bytes of related images remain if equal blobs, files or chunks are stored once?',
  async measure(bench) {
    const family = bench.smoke ? { versions: 4, bytes: 2e6 } : { versions: 10, bytes: 24e6 }
    const copies = bench.smoke ? { files: 200, distinct: 50 } : { files: 6000, distinct: 1500 }
    await compareOn(bench, FAMILY, 'family', family)
    await compareOn(bench, COPIES, 'duplicate-heavy', copies)
  },
}

async function compareOn(bench, name, corpus, settings) {
  const totals = new Set()
  await bench.compare({
    name,
    job: 'dedup',
    figure: 'act',
    // The bytes kept are the same in every run.
    rounds: 1,
    columns: ['total', 'kept', 'share', 'pieces', 'seconds'],
    plot: 'kept',
    input: { corpus, settings },
    entries: ['blob', 'file', 'chunk'].map(level => ({
      label: level === 'chunk' ? 'equal chunks (8 KiB)' : `equal ${level}s`,
      contender: layerstore,
      options: { level },
    })),
    figures: outcome => ({ ...outcome, share: outcome.keptBytes / outcome.totalBytes }),
    check: ({ totalBytes, keptBytes }) => {
      totals.add(totalBytes)
      if (totals.size > 1) throw new Error(`the levels saw different bytes: ${[...totals]}`)
      if (!(keptBytes > 0 && keptBytes <= totalBytes)) throw new Error(`${keptBytes} of ${totalBytes} bytes kept`)
    },
  })
}
