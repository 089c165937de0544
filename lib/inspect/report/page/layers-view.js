import { layerColor } from './colors.js'
import { bar, el, section } from './dom.js'
import { formatBytes, instructionOf, shortDigest } from './format.js'

/**
 * The stack of layers, topmost first as in a pile: one bar each, its hidden bytes hatched. A layer that is chosen is the
 * only one in the map of files.
 *
 * @param {import('../report-data.ts').ReportedImage} image
 * @param {(layer: number | undefined) => void} onLayer
 */
export function layersView({ analysis, steps }, onLayer) {
  const { layers } = analysis
  const largest = Math.max(1, ...layers.map(({ bytes }) => bytes))
  /** @type {number | undefined} */
  let chosen
  const rows = layers.map(layer =>
    layerRow(layer, largest, () => choose(chosen === layer.index ? undefined : layer.index)),
  )
  const setLayer = (/** @type {number | undefined} */ layer) => {
    chosen = layer
    rows.forEach((row, i) => {
      row.firstElementChild?.setAttribute('aria-pressed', String(i === layer))
    })
  }
  const choose = (/** @type {number | undefined} */ layer) => {
    setLayer(layer)
    onLayer(layer)
  }
  setLayer(undefined)
  const list = el('ol', { class: 'stack', reversed: true }, ...[...rows].reverse())
  const note = 'The top layer first. The bar is the size of the files in a layer; choose one to see its files alone.'
  return { element: section('layers', 'Layers', note, list, stepsView(steps)), setLayer }
}

/**
 * @param {import('../../analyze/image-analysis.ts').LayerFigures} layer
 * @param {number} largest
 * @param {() => void} onChoose
 */
function layerRow(layer, largest, onChoose) {
  const { index, bytes, hiddenBytes, blobBytes, files, base, createdBy, digest } = layer
  const swatch = el('span', { class: 'swatch', 'aria-hidden': 'true' })
  swatch.style.background = layerColor(index)
  const color = layerColor(index)
  const figures = [`${formatBytes(blobBytes)} compressed`, `${files === 1 ? '1 file' : `${files} files`}`]
  if (hiddenBytes > 0) figures.push(`${formatBytes(hiddenBytes)} wasted`)
  const button = el(
    'button',
    { type: 'button', class: 'layer', 'aria-pressed': 'false', title: digest, onclick: onChoose },
    el('span', { class: 'layer-number' }, swatch, String(index + 1)),
    el(
      'span',
      { class: 'layer-text' },
      el('span', { class: 'instruction' }, instructionOf(createdBy) || `no instruction known (${shortDigest(digest)})`),
      bar(
        { share: (bytes - hiddenBytes) / largest, color },
        { share: hiddenBytes / largest, color, class: 'hidden-bytes' },
      ),
      el('span', { class: 'layer-figures' }, base && el('span', { class: 'tag' }, 'base'), figures.join(' · ')),
    ),
    el('span', { class: 'layer-size' }, formatBytes(bytes)),
  )
  return el('li', {}, button)
}

/** @param {import('../report-data.ts').ReportedImage['steps']} steps */
function stepsView(steps) {
  if (steps.every(({ layer }) => layer !== undefined)) return undefined
  const rows = steps.map(({ command, layer }) => {
    const text = instructionOf(command) || 'no instruction known'
    return el(
      'li',
      {},
      el('code', {}, text),
      el('span', { class: 'step-layer' }, layer === undefined ? '' : `layer ${layer + 1}`),
    )
  })
  return el(
    'details',
    {},
    el('summary', {}, `All ${steps.length} steps of the history`),
    el('ol', { class: 'steps' }, ...rows),
  )
}
