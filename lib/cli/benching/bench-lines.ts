import { formatBytes } from '../printing/format-bytes.ts'
import { formatTable } from '../printing/format-table.ts'
import type { BenchCase, BenchReport, BenchRow } from './bench-report.ts'
import { cautionFor, type Machine } from './describe-machine.ts'

/** Describes a result of `bench` as text: the machine, then a table for each case. */
export function benchLines({ machine, rounds, cases }: BenchReport): string[] {
  const caution = cautionFor(machine)
  return [
    machineLine(machine),
    ...(caution ? [`caution: ${caution}`] : []),
    `medians of ${rounds} rounds, ± median deviation`,
    ...cases.flatMap(one => ['', `${one.name}, ${formatBytes(one.bytes)}`, ...caseTable(one)]),
  ]
}

/** Names the machine of a measurement in one line. */
export function machineLine({ system, cores, cpu, shaInstructions, memoryBytes, node, load }: Machine): string {
  const sha = shaInstructions === undefined ? '' : shaInstructions ? ' with SHA-256' : ' without SHA-256'
  return `${system}, ${cores} × ${cpu}${sha}, ${formatBytes(memoryBytes)}, Node ${node}, load ${load}`
}

function caseTable({ part, bytes, rows }: BenchCase): string[] {
  const header = ['', 'MB/S', '±', 'SECONDS', ...(part === 'hash' ? [] : ['KEPT', 'SHARE'])]
  const cells = rows.map(row => [
    row.label,
    ...speedCells(row, bytes),
    ...(part === 'hash' || row.keptBytes === undefined
      ? []
      : [formatBytes(row.keptBytes), `${((100 * row.keptBytes) / bytes).toFixed(1)} %`]),
  ])
  const reasons = new Set(rows.flatMap(({ label, skipped }) => (skipped === undefined ? [] : [`${label}: ${skipped}`])))
  return [...formatTable(header, cells), ...reasons]
}

function speedCells({ seconds, skipped }: BenchRow, bytes: number): string[] {
  if (skipped !== undefined) return ['skipped']
  if (!seconds) return ['-', '', '-']
  const rates = seconds.samples.map(sample => bytes / sample / 1e6)
  const rate = bytes / seconds.median / 1e6
  const apart = (seconds.mad / seconds.median) * rate
  return [digits(rate), rates.length > 1 ? digits(apart) : '-', seconds.median.toFixed(seconds.median < 1 ? 3 : 2)]
}

/** Formats a rate with as many digits as matter. */
function digits(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0)
}
