import { formatBytes } from '../printing/format-bytes.ts'
import { type Bar, barChart, type Panel } from './bar-chart.ts'
import { machineLine } from './bench-lines.ts'
import type { BenchCase, BenchReport } from './bench-report.ts'
import { cautionFor } from './describe-machine.ts'

/** Draws a result of `bench` as an SVG picture: speeds as MB/s, deduplication as the MB that are kept. */
export function benchChart({ machine, rounds, inputs, cases }: BenchReport): string {
  const caution = cautionFor(machine)
  const names = inputs.map(({ name }) => name).join(' ')
  const notes = [
    `layerstore bench ${names}`,
    `${machine.date.slice(0, 10)}, ${machineLine(machine)}`,
    `bars: median of ${rounds} rounds; lines: median deviation`,
    ...(caution ? [`caution: ${caution}`] : []),
  ]
  return barChart({ title: 'layerstore bench', panels: cases.map(panelOf), notes })
}

function panelOf(one: BenchCase): Panel {
  const title = `${one.name}, ${formatBytes(one.bytes)}`
  return one.part === 'dedup'
    ? { title, unit: 'MB kept, with index', bars: one.rows.flatMap(row => keptBar(row, one.bytes)) }
    : { title, unit: 'MB/s', bars: one.rows.flatMap(row => speedBar(row, one.bytes)) }
}

function keptBar({ label, keptBytes }: BenchCase['rows'][number], all: number): Bar[] {
  if (keptBytes === undefined) return []
  return [
    { label, value: keptBytes / 1e6, text: `${formatBytes(keptBytes)}, ${((100 * keptBytes) / all).toFixed(1)} %` },
  ]
}

function speedBar({ label, seconds, keptBytes }: BenchCase['rows'][number], bytes: number): Bar[] {
  if (!seconds) return []
  const value = bytes / seconds.median / 1e6
  const size = keptBytes === undefined ? '' : `, ${formatBytes(keptBytes)}`
  const spread = (seconds.mad / seconds.median) * value
  return [{ label, value, spread, text: `${value.toFixed(value < 10 ? 1 : 0)}${size}` }]
}
