import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import type { Digest, HasherEngine } from '../../digest/index.ts'
import { openStore } from '../../disk-store/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import { writeLayer } from '../../layer/index.ts'
import { scratchDirectory } from '../session/scratch-directory.ts'
import type { BenchCase } from './bench-report.ts'
import { assertEqualRuns, type Job, type MeasureJobs, secondsOf } from './measure-rounds.ts'
import type { Entries, OpenedInput } from './open-input.ts'

const COMPRESSIONS = ['none', 'gzip', 'zstd'] as const

/** Measures how fast files become a layer in a new store: tar, digests, compression and index, by compression. */
export async function layerCase(
  { name, entries, image }: OpenedInput & { readonly entries: () => Entries },
  options: { readonly hasher: HasherEngine; readonly signal: AbortSignal; readonly measure: MeasureJobs },
): Promise<BenchCase> {
  const made = COMPRESSIONS.map(() => ({ digests: new Set<Digest>(), size: 0 }))
  const jobs = COMPRESSIONS.map(
    (compression, i): Job =>
      () =>
        writeOnce(compression, entries, made[i]!, options),
  )
  const results = await options.measure(jobs)
  for (const { digests } of made) assertEqualRuns('layers', digests)
  const rows = COMPRESSIONS.map((label, i) => ({
    label,
    ...results[i]!,
    ...(made[i]!.size > 0 ? { keptBytes: made[i]!.size } : {}),
  }))
  const bytes = image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
  return { part: 'layer', name: `a layer of ${basename(resolve(name))}`, bytes, rows }
}

async function writeOnce(
  compression: (typeof COMPRESSIONS)[number],
  entries: () => Entries,
  made: { readonly digests: Set<Digest>; size: number },
  { hasher, signal }: { readonly hasher: HasherEngine; readonly signal: AbortSignal },
) {
  await using directory = await scratchDirectory(join(tmpdir(), 'bench'))
  await using store = await openStore(directory.path, { durability: 'none', hasher })
  try {
    return await secondsOf(async () => {
      const { descriptor } = await writeLayer(store, entries(), { compression, hasher, signal })
      made.digests.add(descriptor.digest as Digest)
      made.size = descriptor.size
    })
  } catch (error) {
    // Older versions of Node cannot write zstd.
    if (LayerStoreError.is(error) && error.code === 'ERR_UNSUPPORTED_COMPRESSION') return { skipped: error.message }
    throw error
  }
}
