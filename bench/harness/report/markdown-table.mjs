import { COLUMNS, written } from './columns.mjs'

/** Formats a result as Markdown: one table per case, then the claims with their outcome. */
export function markdownOf({ cases, claims }) {
  return [...cases.map(caseTable), ...(claims.length > 0 ? [claimTable(claims)] : [])].join('\n\n')
}

/** Formats a Markdown table; the first column is text, all further columns are numbers. */
export function markdownTable(header, rows) {
  const line = cells => `| ${cells.map(cell => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(header), `|${header.map((_, i) => (i === 0 ? '---|' : '--:|')).join('')}`, ...rows.map(line)].join('\n')
}

function caseTable({ name, bytes, columns, contenders, skipped }) {
  if (skipped) return `**${name}**: skipped, ${skipped}`
  const facts = [bytes && `${Math.round(bytes / 1e6) || '< 1'} MB`, roundsOf(contenders)]
  const said = facts.filter(Boolean).join('; ')
  const rows = contenders.map(({ label, own, skipped: why, summary }) =>
    why
      ? [label, `skipped: ${why}`, ...columns.slice(1).map(() => '')]
      : [own ? `**${label}**` : label, ...columns.map(column => written(column, summary))],
  )
  return `**${name}**${said && ` (${said})`}\n\n${markdownTable(['', ...columns.map(column => COLUMNS[column].title)], rows)}`
}

function claimTable(claims) {
  const rows = claims.map(({ text, value, atLeast, atMost, met }) => [
    text,
    value.toFixed(value < 10 ? 2 : 0),
    atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`,
    met ? 'yes' : '**no**',
  ])
  return markdownTable(['goal', 'measured', 'wanted', 'met'], rows)
}

/** Number of samples of the medians; micro benchmarks take as many as their time allows. */
function roundsOf(contenders) {
  const counts = contenders.flatMap(({ summary }) => summary?.seconds?.n ?? [])
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  if (!(most > 1)) return undefined
  return `median ± MAD of ${least === most ? most : `${least} to ${most}`} samples`
}
