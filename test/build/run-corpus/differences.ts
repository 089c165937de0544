import type { DescribedFailure, DescribedRun } from './describe-run.ts'

type Ours = DescribedFailure | ((engine: DescribedRun) => DescribedRun)

/** A deliberate difference to the Docker Engine; `sandbox/rationale.md` has the reasons. */
export interface RunDifference {
  /** Number in `sandbox/rationale.md`. */
  readonly reason: 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'R7' | 'R8'
  /** Executor that differs. @defaultValue all */
  readonly executor?: string
  /** Beginnings of the names of the builds: the group and the numbers in it. */
  readonly builds: Readonly<Record<string, readonly number[]>>
  /** What this library makes instead: a failure, or the engine's result changed. */
  readonly ours: Ours
}

const points = ['dev', 'proc', 'sys']
const isPoint = (line: string) => points.some(name => line === name || line === `@now ${name}`)
const withoutPoints = (engine: DescribedRun): DescribedRun => ({
  ...engine,
  files: engine.files.filter(line => !isPoint(line.replace(' directory 755 0:0', ''))),
  written: engine.written.map(paths => paths.filter(path => !isPoint(path))),
})

const replaced =
  (from: string | RegExp, to: string) =>
  (engine: DescribedRun): DescribedRun => ({ ...engine, files: engine.files.map(line => line.replace(from, to)) })

const keptTimes = replaced(/^@now (etc|srv|data\/tree|home\/app)$/, '@1600000000 $1')

/** All differences. A build may have several; they apply in this order. */
const differences: readonly RunDifference[] = [
  {
    reason: 'R1',
    builds: { bases: [4, 5, 6, 8, 9, 10, 22, 27], 'times of mount points': [1, 2, 5] },
    ours: withoutPoints,
  },
  {
    reason: 'R2',
    builds: { times: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 'times of mount points': [3] },
    ours: keptTimes,
  },
  {
    reason: 'R3',
    executor: 'bubblewrap',
    builds: { surroundings: [8], users: [18] },
    ours: engine =>
      replaced(
        'CapBnd:\\t00000000a80425fb',
        'CapBnd:\\t000001fffeffffff',
      )(replaced('CapInh:\\t0000000000000000', 'CapInh:\\t00000000a80425fb')(engine)),
  },
  { reason: 'R3', executor: 'bubblewrap', builds: { bases: [5] }, ours: replaced(' groups=0', '') },
  { reason: 'R4', executor: 'bubblewrap', builds: { bases: [27] }, ours: replaced('/bin\\n"', '/bin\\nPWD=/w\\n"') },
  { reason: 'R5', builds: { failures: [4, 5, 7, 13, 16], bases: [23] }, ours: { error: true } },
  {
    reason: 'R6',
    builds: { links: [10] },
    ours: engine =>
      replaced(
        'p2 hardlink 644 0:0 p',
        'p2 fifo 644 0:0',
      )(replaced('s2 hardlink 777 0:0 s', 's2 symlink 0:0 /data/a')(engine)),
  },
  { reason: 'R7', builds: { contents: [20] }, ours: { error: true } },
  { reason: 'R8', builds: { agents: [1] }, ours: replaced('</run/buildkit/ssh_agent.0>', '<>') },
]

/** What this library makes where it differs, with an executor, by the beginning of the name of the build. */
export function runDifferences(executor: string): ReadonlyMap<string, Ours> {
  const found = new Map<string, Ours>()
  for (const { builds, ours, executor: only = executor } of differences) {
    if (only !== executor) continue
    for (const [about, numbers] of Object.entries(builds)) {
      for (const number of numbers) found.set(`${about} ${number}:`, after(found.get(`${about} ${number}:`), ours))
    }
  }
  return found
}

function after(first: Ours | undefined, second: Ours): Ours {
  if (typeof first !== 'function' || typeof second !== 'function') return second
  return engine => second(first(engine))
}
