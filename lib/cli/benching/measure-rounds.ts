import { UsageError } from '../failing/usage-error.ts'
import type { Spread } from './bench-report.ts'

/** Work that is measured: resolves to the seconds it took, or to a reason why it cannot be done here. */
export type Job = () => Promise<number | { readonly skipped: string }>

/** Measures jobs beside each other; resolves to the members of their rows. */
export type MeasureJobs = (
  jobs: readonly Job[],
) => Promise<readonly ({ readonly seconds: Spread } | { readonly skipped: string })[]>

/**
 * Runs each job once per round, in reverse order in every second round, so that drift (caches, clock, other processes)
 * affects all equally. One round before is not counted. Resolves to the result of each job, in their order.
 */
export async function measureRounds(
  jobs: readonly Job[],
  rounds: number,
  { signal, onRound }: { readonly signal: AbortSignal; readonly onRound: (round: number) => void },
): ReturnType<MeasureJobs> {
  const samples: number[][] = jobs.map(() => [])
  const skipped = new Map<number, { readonly skipped: string }>()
  for (let round = 0; round <= rounds; round++) {
    onRound(round)
    const order = [...jobs.keys()].filter(i => !skipped.has(i))
    if (round % 2 === 0) order.reverse()
    for (const i of order) {
      signal.throwIfAborted()
      const result = await jobs[i]!()
      if (typeof result !== 'number') skipped.set(i, result)
      else if (round > 0) samples[i]!.push(result)
    }
  }
  return jobs.map((_, i) => skipped.get(i) ?? { seconds: spreadOf(samples[i]!) })
}

/** Resolves to the seconds that `act` takes. */
export async function secondsOf(act: () => unknown): Promise<number> {
  const started = performance.now()
  await act()
  return (performance.now() - started) / 1000
}

/** Fails if runs of the same work had different results: figures of wrong work say nothing. */
export function assertEqualRuns(results: string, found: ReadonlySet<string>): void {
  if (found.size > 1) throw new UsageError(`the runs made different ${results}: the input has changed meanwhile`)
}

function spreadOf(samples: readonly number[]): Spread {
  const middle = medianOf(samples)
  return { median: middle, mad: medianOf(samples.map(sample => Math.abs(sample - middle))), samples }
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
