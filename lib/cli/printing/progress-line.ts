import { formatBytes } from './format-bytes.ts'

/** Something that moves, as a line shows it. */
export interface MovingLine {
  readonly label: string
  readonly bytes: number
  readonly size: number
  /** Bytes per second; `undefined` if it is not known yet. */
  readonly rate: number | undefined
}

const LABEL = 12
/** Widths of a bar. */
const [LEAST, MOST] = [8, 40]
/** Widths of `999MB/999MB`, `999MB/s`, `100%` and `59m59s`. */
const WIDTHS = { amount: 13, rate: 8, percent: 4, left: 6 }

/** Sets of fields from wide to narrow terminals; the first one that leaves room for a bar is printed. */
const FIELDS: readonly (readonly (keyof typeof WIDTHS)[])[] = [
  ['amount', 'rate', 'left'],
  ['amount', 'left'],
  ['percent', 'left'],
  ['percent'],
  [],
]

/**
 * Formats a line with a bar, the bytes, the rate and the time that is left, as far as a terminal of so many columns
 * has room. It never fills the last column, where some terminals wrap.
 */
export function progressLine(moving: MovingLine, columns: number): string {
  const room = columns - 1
  const fields = FIELDS.find(some => room - lengthOf(some) >= LEAST) ?? []
  const width = Math.min(MOST, room - lengthOf(fields))
  const label = moving.label.padEnd(LABEL)
  const bar = width >= LEAST ? ` [${barOf(moving, width)}]` : ''
  const texts = fields.map(field => ` ${textOf(field, moving).padStart(WIDTHS[field])}`)
  return `${label}${bar}${texts.join('')}`.trimEnd().slice(0, Math.max(1, room))
}

/** Formats a duration in seconds: `42s`, `4m10s`, `1h05m`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds)
  const two = (value: number) => String(value).padStart(2, '0')
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`
  if (whole < 360_000) return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`
  return '> 99h'
}

function lengthOf(fields: readonly (keyof typeof WIDTHS)[]): number {
  return LABEL + 3 + fields.reduce((sum, field) => sum + 1 + WIDTHS[field], 0)
}

function shareOf({ bytes, size }: MovingLine): number {
  return size > 0 ? Math.min(1, Math.max(0, bytes / size)) : 1
}

function barOf(moving: MovingLine, width: number): string {
  return '='.repeat(Math.round(shareOf(moving) * width)).padEnd(width)
}

function textOf(field: keyof typeof WIDTHS, moving: MovingLine): string {
  const { bytes, size, rate } = moving
  if (field === 'amount') return `${formatBytes(Math.max(0, bytes))}/${formatBytes(size)}`
  if (field === 'percent') return `${Math.floor(100 * shareOf(moving))}%`
  if (rate === undefined) return ''
  if (field === 'rate') return `${formatBytes(rate)}/s`
  return rate > 0 && bytes < size ? formatDuration((size - bytes) / rate) : ''
}
