import { isDark, layerColor, styleColor } from './colors.js'
import { formatBytes, printable } from './format.js'
import { STRIP } from './map-layout.js'
import { isDirectory } from './tree.js'

/**
 * Paints the boxes of a map: files in the colour of their layer, hidden ones hatched, directories as frames.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {readonly import('./map-layout.js').Cell[]} cells
 * @param {number} width
 * @param {number} height
 */
export function paintMap(canvas, cells, width, height) {
  const ratio = Math.max(1, Math.min(3, devicePixelRatio))
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const context = canvas.getContext('2d')
  if (!context) return
  context.scale(ratio, ratio)
  const colors = {
    ink: styleColor('--ink'),
    muted: styleColor('--muted'),
    surface: styleColor('--surface'),
    frame: styleColor('--frame'),
  }
  const hatch = hatchOf(context)
  for (const cell of cells) {
    if (isDirectory(cell.node)) paintDirectory(context, cell, colors)
    else paintFile(context, cell, hatch)
  }
  context.textBaseline = 'middle'
  for (const cell of cells) paintLabel(context, cell, colors)
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import('./map-layout.js').Cell} cell
 * @param {{ surface: string, frame: string }} colors
 */
function paintDirectory(context, { box: { x, y, w, h }, depth }, colors) {
  context.fillStyle = depth % 2 === 0 ? colors.frame : colors.surface
  context.fillRect(x, y, Math.max(0.5, w - 1), Math.max(0.5, h - 1))
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import('./map-layout.js').Cell} cell
 * @param {CanvasPattern | null} hatch
 */
function paintFile(context, { node, box: { x, y, w, h }, depth }, hatch) {
  if (isDirectory(node)) return
  const [width, height] = [w > 3 ? w - 1 : w * 0.9, h > 3 ? h - 1 : h * 0.9]
  context.fillStyle = layerColor(node.layer, depth)
  context.fillRect(x, y, width, height)
  if (!node.hidden || !hatch) return
  context.fillStyle = hatch
  context.fillRect(x, y, width, height)
}

/**
 * Names of nested boxes; those of the outermost ones are the text of their buttons.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {import('./map-layout.js').Cell} cell
 * @param {{ ink: string, muted: string }} colors
 */
function paintLabel(context, { node, box: { x, y, w, h }, depth, titled }, { ink, muted }) {
  const isFile = !isDirectory(node)
  if (depth === 0 || !(titled || (isFile && w > 56 && h > 22))) return
  context.save()
  context.beginPath()
  context.rect(x + 5, y, w - 10, h)
  context.clip()
  context.font = `${isFile ? 400 : 600} 11px system-ui, sans-serif`
  if (isFile && node.hidden) {
    // The text must not be crossed by the hatching.
    context.fillStyle = layerColor(node.layer, depth)
    context.fillRect(x + 3, y + 3, context.measureText(printable(node.name)).width + 6, h > 38 ? 32 : 18)
  }
  context.fillStyle = isFile ? ink : muted
  context.fillText(printable(node.name), x + 6, y + (isFile ? 12 : STRIP / 2))
  if (isFile && h > 38) {
    context.font = '11px system-ui, sans-serif'
    context.fillText(formatBytes(node.weight), x + 6, y + 26)
  }
  context.restore()
}

/**
 * Diagonal lines, for bytes that no container sees.
 *
 * @param {CanvasRenderingContext2D} context
 */
function hatchOf(context) {
  const tile = document.createElement('canvas')
  tile.width = tile.height = 8
  const lines = tile.getContext('2d')
  if (!lines) return null
  lines.strokeStyle = isDark() ? 'rgb(255 255 255 / 0.28)' : 'rgb(0 0 0 / 0.2)'
  lines.lineWidth = 1.5
  for (const start of [-8, 0, 8]) {
    lines.moveTo(start, 8)
    lines.lineTo(start + 8, 0)
  }
  lines.stroke()
  return context.createPattern(tile, 'repeat')
}
