/** Width and height of a character of 13 px in a monospaced font. */
const CHARACTER = { width: 7.83, height: 18 }
const MARGIN = 16
const TITLE = 26

/** Colours of the terminal by the numbers of SGR sequences; both readable on its dark ground. */
const COLOURS = {
  31: '#ff8a80',
  32: '#8bd49c',
  33: '#f2c97d',
  34: '#8ab4f8',
  35: '#d7a7f5',
  36: '#7fd6dd',
  90: '#9aa5b1',
}

/** Draws screens of a terminal, with SGR sequences for colours, one below the other as one SVG. */
export function drawScreens(screens, titles, columns) {
  const width = Math.ceil(columns * CHARACTER.width + 2 * MARGIN)
  let y = 0
  const parts = screens.map((screen, i) => {
    const lines = screen.split('\n')
    const height = lines.length * CHARACTER.height + MARGIN
    const part = [
      `<text x="${MARGIN}" y="${y + 18}" class="t">${escapeXml(titles[i])}</text>`,
      ...lines.map((line, row) => drawLine(line, y + TITLE + (row + 1) * CHARACTER.height)),
    ]
    y += TITLE + height
    return part.join('\n')
  })
  const style = [
    'text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3}',
    'text{white-space:pre}.t{fill:#9aa5b1;font-family:system-ui,sans-serif}',
  ].join('')
  const label = `role="img" aria-label="${escapeXml(titles.join(', then '))}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" ${label}>`,
    `<style>${style}</style>`,
    `<rect width="${width}" height="${y}" rx="8" fill="#10161d"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

function drawLine(line, y) {
  const spans = spansOf(line).map(({ text, colour, bold }) => {
    const style = [colour && `fill="${colour}"`, bold && 'font-weight="bold"'].filter(Boolean).join(' ')
    return `<tspan${style && ` ${style}`}>${escapeXml(text)}</tspan>`
  })
  return `<text x="${MARGIN}" y="${y}" xml:space="preserve">${spans.join('')}</text>`
}

/** The pieces of a line between its SGR sequences. */
function spansOf(line) {
  const spans = []
  let look = {}
  for (const [, codes, text] of line.matchAll(/(?:\u001b\[([\d;]*)m)?([^\u001b]*)/g)) {
    for (const code of codes === undefined ? [] : codes.split(';')) look = after(look, Number(code))
    if (text) spans.push({ text, ...look })
  }
  return spans
}

function after(look, code) {
  if (code === 0) return {}
  if (code === 1) return { ...look, bold: true }
  if (code === 2) return { ...look, colour: COLOURS[90] }
  if (code === 39) return { ...look, colour: undefined }
  return COLOURS[code] ? { ...look, colour: COLOURS[code] } : look
}

function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
