import { createDigester, type Digest, type HasherEngine } from '../../digest/index.ts'
import type { BenchCase } from './bench-report.ts'
import { formatBinary } from './format-binary.ts'
import { assertEqualRuns, type Job, type MeasureJobs, secondsOf } from './measure-rounds.ts'

/** Sizes of the pieces in which a digester gets its bytes. */
const CHUNKS = [4096, 65_536, 2 ** 20]
const ENGINES: readonly HasherEngine[] = ['native', 'wasm']

/** Measures digests of bytes in memory by engine and size of the pieces. Every run must find the same digest. */
export async function hashCase(sample: Uint8Array, measure: MeasureJobs): Promise<BenchCase> {
  const kinds = ENGINES.flatMap(hasher => CHUNKS.map(chunk => ({ hasher, chunk })))
  const found = new Set<Digest>()
  const jobs = kinds.map(
    ({ hasher, chunk }): Job =>
      async () => {
        const digester = await createDigester({ hasher })
        return secondsOf(() => {
          for (let at = 0; at < sample.length; at += chunk) digester.update(sample.subarray(at, at + chunk))
          found.add(digester.digest())
        })
      },
  )
  const results = await measure(jobs)
  assertEqualRuns('digests', found)
  const rows = kinds.map(({ hasher, chunk }, i) => ({ label: `${hasher}, ${formatBinary(chunk)}`, ...results[i]! }))
  return { part: 'hash', name: 'SHA-256 of bytes in memory', bytes: sample.length, rows }
}
