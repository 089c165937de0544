import { cautionFor } from '../measure/environment.mjs'
import { COLUMNS, written } from './columns.mjs'

const WIDTH = 860
const LABELS = 250
const VALUES = 120
const BAR = 18
const ROW = 26
const PANEL_HEAD = 34
const AXIS = 30
const COLORS = { own: '#0b6e99', other: '#9aa5b1', text: '#1f2933', faint: '#6b7785', line: '#d9dee4' }

/**
 * Figures of a result as an SVG picture: one panel of bars for each case, values and spread at the bars, an axis below.
 */
export function barChart({ name, question, cases, command, environment }) {
  const plotted = cases.filter(({ plot }) => plot !== false)
  const panels = plotted.map(one => panelOf(one)).filter(panel => panel.bars.length > 0)
  const footer = [command, captionOf(environment), cautionFor(environment)].filter(Boolean)
  const heights = panels.map(({ bars }) => PANEL_HEAD + bars.length * ROW + AXIS)
  const top = 58
  const height = top + heights.reduce((sum, one) => sum + one, 0) + 18 * footer.length + 14
  let y = top
  const drawn = panels.map((panel, i) => {
    const text = drawPanel(panel, y)
    y += heights[i]
    return text
  })
  const notes = footer.map((line, i) => text(16, y + 14 + 18 * i, line, { size: 12, color: COLORS.faint }))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(question)}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${text(16, 26, name, { size: 17, weight: 'bold' })}
${text(16, 46, question, { size: 13, color: COLORS.faint })}
${[...drawn, ...notes].join('\n')}
</svg>
`
}

function panelOf({ name, plot, contenders }) {
  const { title, figure, more } = COLUMNS[plot ?? 'seconds']
  const bars = contenders.flatMap(({ label, own, summary }) => {
    const found = summary?.[figure]
    return found ? [{ label, own, ...found, shown: written(plot ?? 'seconds', summary) }] : []
  })
  return { name, plot: plot ?? 'seconds', unit: `${title}, ${more ? 'more' : 'less'} is better`, bars }
}

function drawPanel({ name, plot, unit, bars }, top) {
  const room = WIDTH - LABELS - VALUES
  const { ticks, limit } = ticksFor(Math.max(...bars.map(({ median, mad }) => median + mad)))
  const x = value => LABELS + (value / limit) * room
  const first = top + PANEL_HEAD
  const bottom = first + bars.length * ROW
  const grid = ticks.map(
    tick =>
      `<line x1="${round(x(tick))}" y1="${first - 4}" x2="${round(x(tick))}" y2="${bottom}" stroke="${COLORS.line}"/>` +
      text(x(tick), bottom + 14, tick === 0 ? '0' : COLUMNS[plot].format(tick, limit), {
        size: 11,
        anchor: 'middle',
        color: COLORS.faint,
      }),
  )
  const rows = bars.map((bar, i) => drawBar(bar, first + i * ROW, x))
  const heading = `${text(16, top + 20, name, { size: 14, weight: 'bold' })}${text(WIDTH - 16, top + 20, unit, { size: 12, anchor: 'end', color: COLORS.faint })}`
  return [heading, ...grid, ...rows].join('\n')
}

function drawBar({ label, own, median, mad, n, shown }, top, x) {
  const middle = top + BAR / 2
  const width = Math.max(1, x(median) - x(0))
  const whisker =
    n > 1 && mad > 0
      ? `<path d="M${round(x(Math.max(0, median - mad)))} ${middle}H${round(x(median + mad))}" stroke="${COLORS.text}" stroke-width="1.5"/>`
      : ''
  return [
    text(LABELS - 10, middle + 4, shortened(label), { size: 12, anchor: 'end', weight: own ? 'bold' : 'normal' }),
    `<rect x="${LABELS}" y="${top}" width="${round(width)}" height="${BAR}" rx="2" fill="${own ? COLORS.own : COLORS.other}"/>`,
    whisker,
    text(x(median + (n > 1 ? mad : 0)) + 8, middle + 4, shown, { size: 12 }),
  ].join('')
}

/** Four to eight round numbers from 0 to past the largest value. */
function ticksFor(largest) {
  if (!(largest > 0)) return { ticks: [0], limit: 1 }
  const rough = largest / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => candidate >= rough)
  const count = Math.ceil(largest / step)
  return { ticks: Array.from({ length: count + 1 }, (_, i) => i * step), limit: count * step }
}

function captionOf({ date, commit, cpu, cores, node, fileSystem }) {
  return `${date.slice(0, 10)}, commit ${commit}, Node ${node}, ${cores} × ${cpu}, ${fileSystem}`
}

function text(x, y, content, { size, anchor = 'start', weight = 'normal', color = COLORS.text }) {
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" text-anchor="${anchor}" font-weight="${weight}" fill="${color}">${escaped(content)}</text>`
}

function shortened(label) {
  return label.length > 33 ? `${label.slice(0, 32)}…` : label
}

function round(value) {
  return Math.round(value * 10) / 10
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
