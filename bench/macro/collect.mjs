import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { layerstore } from '../contenders/layerstore.mjs'
import { umoci } from '../contenders/umoci.mjs'
import { makeBigStore } from '../harness/make-big-store.mjs'

const ALL = '100,000 small blobs, none of them needed'
const ALL_HALF_AS_MANY = '50,000 small blobs, none of them needed'
const HALF = '100,000 small blobs, half of them needed by 1,000 images'
const OURS = layerstore.name

export const scenario = {
  name: 'collect',
  question: 'How long does a collection of many blobs take on a busy machine?',
  async measure(bench) {
    const scale = bench.smoke ? 0.02 : 1
    await measureCase(bench, ALL_HALF_AS_MANY, { blobs: 50_000 * scale, names: 1, garbage: 50_000 * scale - 3 })
    await measureCase(bench, ALL, { blobs: 100_000 * scale, names: 1, garbage: 100_000 * scale - 3 })
    await measureCase(bench, HALF, { blobs: 100_000 * scale, names: 1000 * scale, garbage: 50_000 * scale })
  },
  claims: [
    ...[ALL, HALF].flatMap(name => [
      { text: `${name}: seconds`, of: figure => figure(name, OURS), atMost: 30 },
      { text: `${name}: seconds for the usage`, of: figure => figure(name, OURS, 'usageSeconds'), atMost: 5 },
    ]),
    {
      text: 'time for 100,000 blobs over that for 50,000',
      of: figure => figure(ALL, OURS) / figure(ALL_HALF_AS_MANY, OURS),
      atMost: 2.5,
    },
  ],
}

async function measureCase(bench, name, size) {
  await bench.compare({
    name,
    job: 'collect',
    figure: 'act',
    columns: ['seconds', 'cpu', 'memory', 'usage'],
    plot: 'seconds',
    rounds: 2,
    input: {},
    // Recreate the garbage for each sample.
    around: async (given, run) => {
      const directory = join(given.scratch, 'store')
      const { needed } = makeBigStore(directory, size)
      return withBusyMachine(() => run({ ...given, directory, needed }))
    },
    entries: [
      { contender: layerstore, options: { hasher: 'native' } },
      { contender: umoci, rounds: 1 },
    ],
    check: (_, { directory, needed }) => {
      const left = readdirSync(join(directory, 'blobs/sha256')).length
      if (left !== needed) throw new Error(`${left} blobs are left, not ${needed}`)
    },
    figures: ({ usageSeconds }) => (usageSeconds === undefined ? {} : { usageSeconds }),
  })
}

/** A busy process for each processor, which does nothing but compute. */
async function withBusyMachine(act) {
  const busy = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  )
  try {
    return await act()
  } finally {
    for (const process of busy) process.kill('SIGKILL')
  }
}
