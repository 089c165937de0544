/** One bar of a chart. */
export interface Bar {
  readonly label: string
  readonly value: number
  /** Half the length of the line across the end of the bar: the spread. */
  readonly spread?: number
  /** Text behind the bar. */
  readonly text: string
}

/** Bars on one axis. */
export interface Panel {
  readonly title: string
  /** Unit of the axis. */
  readonly unit: string
  readonly bars: readonly Bar[]
}

/** A chart of several panels. */
export interface Chart {
  readonly title: string
  readonly panels: readonly Panel[]
  /** Lines below the panels. */
  readonly notes: readonly string[]
}

const WIDTH = 860
const LABELS = 220
const VALUES = 130
const BAR = 18
const ROW = 26
const HEAD = 40
const AXIS = 34

/** Colours on a light and on a dark page; text has at least 4.5:1 and bars 3:1 against their background. */
const STYLE = `
.page{fill:#ffffff}.text{fill:#1f2933}.faint{fill:#5b6673}.bar{fill:#0b6e99}.grid{stroke:#d9dee4}.spread{stroke:#1f2933}
@media (prefers-color-scheme: dark){
.page{fill:#0d1117}.text{fill:#e6edf3}.faint{fill:#9aa5b1}.bar{fill:#3f9fcb}.grid{stroke:#30363d}.spread{stroke:#e6edf3}
}`

/**
 * Draws a chart as one SVG document without outside references. It follows the colour scheme of the reader.
 *
 * SAFETY: labels are names that the user or an image gave; they are escaped.
 */
export function barChart({ title, panels, notes }: Chart): string {
  const heights = panels.map(({ bars }) => HEAD + bars.length * ROW + AXIS)
  const top = 44
  const bottom = top + heights.reduce((sum, one) => sum + one, 0)
  const height = bottom + 18 * notes.length + 14
  let y = top
  const drawn = panels.map((panel, i) => {
    const group = drawPanel(panel, y)
    y += heights[i]!
    return group
  })
  const lines = notes.map((line, i) => text(16, bottom + 14 + 18 * i, line, { size: 12, kind: 'faint' }))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
<style>${STYLE}
</style>
<rect class="page" width="${WIDTH}" height="${height}"/>
${text(16, 28, title, { size: 17, weight: 'bold' })}
${[...drawn, ...lines].join('\n')}
</svg>
`
}

function drawPanel({ title, unit, bars }: Panel, top: number): string {
  const room = WIDTH - LABELS - VALUES
  const { ticks, limit } = ticksFor(Math.max(0, ...bars.map(({ value, spread = 0 }) => value + spread)))
  const x = (value: number) => LABELS + (value / limit) * room
  const first = top + HEAD
  const bottom = first + bars.length * ROW
  const grid = ticks.map(
    tick =>
      `<path class="grid" d="M${round(x(tick))} ${first - 4}V${bottom}"/>${text(x(tick), bottom + 14, String(tick), { size: 11, anchor: 'middle', kind: 'faint' })}`,
  )
  const unitText = text(WIDTH - 16, top + 22, unit, { size: 12, anchor: 'end', kind: 'faint' })
  const heading = text(16, top + 22, title, { size: 14, weight: 'bold' })
  return [heading, unitText, ...grid, ...bars.map((bar, i) => drawBar(bar, first + i * ROW, x))].join('\n')
}

function drawBar({ label, value, spread = 0, text: behind }: Bar, top: number, x: (value: number) => number): string {
  const middle = top + BAR / 2
  const width = Math.max(1, x(value) - x(0))
  const across =
    spread > 0
      ? `<path class="spread" stroke-width="1.5" d="M${round(x(Math.max(0, value - spread)))} ${middle}H${round(x(value + spread))}"/>`
      : ''
  return [
    text(LABELS - 10, middle + 4, shortened(label), { size: 12, anchor: 'end' }),
    `<rect class="bar" x="${LABELS}" y="${top}" width="${round(width)}" height="${BAR}" rx="2"/>`,
    across,
    text(x(value + spread) + 8, middle + 4, behind, { size: 12 }),
  ].join('')
}

/** Round numbers from 0 to past the largest value. */
function ticksFor(largest: number): { ticks: readonly number[]; limit: number } {
  if (!(largest > 0)) return { ticks: [0], limit: 1 }
  const rough = largest / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => candidate >= rough)!
  const count = Math.ceil(largest / step)
  const ticks = Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(6)))
  return { ticks, limit: count * step }
}

function text(
  x: number,
  y: number,
  content: string,
  {
    size,
    anchor = 'start',
    weight = 'normal',
    kind = 'text',
  }: { size: number; anchor?: string; weight?: string; kind?: string },
): string {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}" font-size="${size}" text-anchor="${anchor}" font-weight="${weight}">${escaped(content)}</text>`
}

function shortened(label: string): string {
  const letters = [...label]
  return letters.length > 32 ? `${letters.slice(0, 31).join('')}…` : label
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(content: string): string {
  // Control characters are not allowed in XML.
  const clean = content.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd')
  return clean.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
