import type { HistoryStep } from '../../inspect/index.ts'
import { formatAge } from '../printing/format-age.ts'
import type { TemplateRow } from '../printing/format-template.ts'

/** Columns of `history`, with the names and headings of docker. */
export const HISTORY_HEADINGS = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
} as const

/** Way to show rows of `history`. */
export interface HistoryStyle {
  /** Show commands and digests in full. */
  readonly full: boolean
  /** Show ages and rounded sizes, not times and bytes. */
  readonly human: boolean
  /** Time from which ages count. */
  readonly now: Date
}

/**
 * Makes the rows of `docker history`, newest step first. Only the newest step has an ID, that of the image: the config
 * does not record the images of earlier steps.
 */
export function historyRows(steps: readonly HistoryStep[], imageId: string, style: HistoryStyle): TemplateRow[] {
  const newest = style.full ? imageId : imageId.slice(imageId.indexOf(':') + 1).slice(0, 12)
  return steps.toReversed().map((step, i) => ({
    ID: i === 0 ? newest : '<missing>',
    CreatedSince: createdText(step.created, style),
    CreatedAt: timeText(step.created),
    CreatedBy: commandText(step.created_by ?? '', style),
    Size: sizeText(sizeOf(step), style),
    Comment: step.comment ?? '',
  }))
}

/** Size of a step: unpacked if it is known, else that of the blob. */
function sizeOf({ layer }: HistoryStep): number {
  return layer ? (layer.size ?? layer.descriptor.size) : 0
}

/** Docker shows no age for a step without a time, and none for the time 0 of reproducible builds. */
function createdText(created: string | undefined, { human, now }: HistoryStyle): string {
  if (!human) return timeText(created)
  const time = new Date(created ?? 0)
  return time.getTime() > 0 ? formatAge(time, now) : 'N/A'
}

function timeText(created: string | undefined): string {
  const time = new Date(created ?? 0)
  return Number.isNaN(time.getTime()) ? created! : `${time.toISOString().slice(0, 19)}Z`
}

const WIDEST_COMMAND = 45

function commandText(command: string, { full }: HistoryStyle): string {
  const line = command.replaceAll('\t', ' ')
  const characters = [...line]
  if (full || characters.length <= WIDEST_COMMAND) return line
  return `${characters.slice(0, WIDEST_COMMAND - 1).join('')}…`
}

function sizeText(bytes: number, { human }: HistoryStyle): string {
  if (!human) return String(bytes)
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < 5) {
    value /= 1000
    unit++
  }
  // SPEC: three significant digits without zeros at the end, as units.HumanSizeWithPrecision of docker/go-units.
  return `${Number(value.toPrecision(3))}${['B', 'kB', 'MB', 'GB', 'TB', 'PB'][unit]}`
}
