import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAmount } from '../../amounts/parse-amount.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { benchLines } from '../../benching/bench-lines.ts'
import type { BenchCase, BenchReport } from '../../benching/bench-report.ts'
import { describeMachine } from '../../benching/describe-machine.ts'
import { type MeasureJobs, measureRounds } from '../../benching/measure-rounds.ts'
import { type OpenedInput, openInput, readSample } from '../../benching/open-input.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { writeResult } from '../../results/write-result.ts'
import type { Session } from '../../session/session.ts'
import type { PlatformOption } from '../reading/inspect.ts'
import { locateImage } from './analyze.ts'

/** Options of `bench`. */
export interface BenchOptions extends PlatformOption {
  readonly only?: readonly string[]
  readonly rounds?: string
  readonly bytes?: string
  readonly svg?: string
}

const PARTS: readonly string[] = ['hash', 'layer', 'dedup']

/**
 * `bench WHAT…`: measures digests, the making of layers and deduplication on files, directories and images. Stores
 * nothing but entry indexes of images that the store has.
 */
export async function bench(session: Session, names: readonly string[], options: BenchOptions): Promise<void> {
  if (options.svg !== undefined) notEmpty(options.svg, 'the file of --svg')
  const parts = options.only ?? PARTS
  const unknown = parts.find(part => !PARTS.includes(part))
  if (unknown !== undefined) throw new UsageError(`--only takes hash, layer or dedup; got ${JSON.stringify(unknown)}`)
  const rounds = parseAmount('--rounds', options.rounds ?? '5', 'count')
  const most = parseAmount('--bytes', options.bytes ?? '64MB', 'bytes')
  if (rounds < 1 || rounds > 1000) throw new UsageError(`--rounds takes 1 to 1000; got ${rounds}`)
  if (most < 1 || most > 2 ** 30) throw new UsageError('--bytes takes at most 1GiB: the bytes are kept in memory')
  const machine = describeMachine()
  const scratch = await session.scratchStore(join(tmpdir(), 'bench'))
  const locate = (name: string) => locateImage(session, name, options)
  const inputs: OpenedInput[] = []
  for (const name of names) inputs.push(await openInput(session, name, { scratch, locate }))
  const cases = await measureParts(session, inputs, { parts, rounds, most })
  const shown = inputs.map(({ name, kind }) => ({ name, kind }))
  const report: BenchReport = { version: 1, machine, rounds, inputs: shown, cases }
  if (options.svg !== undefined) await writePicture(options.svg, report)
  session.result(benchLines(report), report)
}

async function measureParts(
  session: Session,
  inputs: readonly OpenedInput[],
  { parts, rounds, most }: { readonly parts: readonly string[]; readonly rounds: number; readonly most: number },
): Promise<BenchCase[]> {
  const { signal, hasher } = session
  const cases: BenchCase[] = []
  const measure = (title: string): MeasureJobs => {
    const onRound = (round: number) =>
      session.note(`${title}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`)
    return jobs => measureRounds(jobs, rounds, { signal, onRound })
  }
  if (parts.includes('hash')) {
    const { hashCase } = await import('../../benching/hash-case.ts')
    cases.push(await hashCase(await readSample(inputs, most, signal), measure('digests')))
  }
  for (const input of parts.includes('layer') ? inputs : []) {
    const { entries, name } = input
    if (!entries) continue
    const { layerCase } = await import('../../benching/layer-case.ts')
    cases.push(await layerCase({ ...input, entries }, { hasher, signal, measure: measure(`layer of ${name}`) }))
  }
  if (parts.includes('dedup')) {
    const { dedupCase } = await import('../../benching/dedup-case.ts')
    cases.push(await dedupCase(inputs, { hasher, signal, measure: measure('deduplication') }))
  }
  if (cases.length === 0) throw new UsageError('layers are made of files: give a file or a directory')
  return cases
}

async function writePicture(path: string, report: BenchReport): Promise<void> {
  const { benchChart } = await import('../../benching/bench-chart.ts')
  await writeResult('--svg', path, benchChart(report))
}
