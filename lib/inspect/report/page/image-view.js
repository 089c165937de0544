import { el } from './dom.js'
import { filesView } from './files-view.js'
import { findingViews } from './findings-view.js'
import { countOf, formatBytes, formatCount, percent, printable } from './format.js'
import { layersView } from './layers-view.js'

/**
 * Everything about one image.
 *
 * @param {import('../report-data.ts').ReportedImage} image
 * @param {import('../pack-tree.ts').PackedTree} tree
 */
export function imageView(image, tree) {
  const layers = layersView(image, layer => files.setLayer(layer))
  const files = filesView(tree, image.analysis.layers.length, layer => layers.setLayer(layer))
  const parts = el('div', { class: 'columns' }, layers.element, files.element)
  const findings = el('div', { class: 'findings' }, ...findingViews(image.analysis))
  return el('div', { class: 'image' }, imageHeader(image), parts, findings)
}

/** @param {import('../report-data.ts').ReportedImage} image */
function imageHeader({ name, analysis, created }) {
  const { digest, platform, blobBytes, bytes, visibleBytes, entries, layers, efficiency, waste, base } = analysis
  const facts = [platform, countOf(layers.length, 'layer'), created?.slice(0, 10), baseText(base)]
    .filter(Boolean)
    .join(' · ')
  const wasted = bytes === 0 ? 0 : waste.bytes / bytes
  return el(
    'header',
    { class: 'image-header' },
    el('h1', {}, printable(name)),
    el('p', { class: 'facts' }, printable(facts)),
    el('p', { class: 'digest' }, printable(digest)),
    el(
      'dl',
      { class: 'figures' },
      figure('Compressed', formatBytes(blobBytes), 'what a registry sends'),
      figure('Unpacked', formatBytes(bytes), 'all files of all layers'),
      figure('Seen', formatBytes(visibleBytes), `by a container, in ${formatCount(entries)} paths`),
      figure('Wasted', formatBytes(waste.bytes), `${percent(wasted)} of the files`, wasted > 0.1 ? 'warn' : ''),
      figure('Efficiency', percent(efficiency.score), 'as dive defines it', efficiency.score < 0.9 ? 'warn' : ''),
    ),
    findingLinks(analysis),
  )
}

/** @param {import('../../analyze/image-analysis.ts').AnalysedBase} base */
function baseText({ layers, from }) {
  const how = { option: 'as given', annotation: 'by its annotation', 'first-layer': 'the lowest layer' }
  return `base of ${countOf(layers, 'layer')} (${how[from]})`
}

/**
 * @param {string} title
 * @param {string} value
 * @param {string} note
 * @param {string} [kind]
 */
function figure(title, value, note, kind = '') {
  return el(
    'div',
    { class: `figure ${kind}`.trim() },
    el('dt', {}, title),
    el('dd', { class: 'value' }, value),
    el('dd', { class: 'note' }, note),
  )
}

/**
 * Links to what was found.
 *
 * @param {import('../../analyze/image-analysis.ts').ImageAnalysis} analysis
 */
function findingLinks({ secrets, waste, rewrites, caches, copies, setId }) {
  const cached = caches.reduce((bytes, cache) => bytes + cache.bytes, 0)
  /** @type {[string, boolean, string, string?][]} */
  const all = [
    ['secrets', secrets.count > 0, countOf(secrets.count, 'secret'), 'warn'],
    ['waste', waste.count > 0, `${formatBytes(waste.bytes)} wasted`],
    ['rewrites', rewrites.count > 0, `${formatBytes(rewrites.bytes)} stored again`],
    ['caches', caches.length > 0, `${formatBytes(cached)} of caches`],
    ['copies', copies.count > 0, `${formatBytes(copies.bytes)} of copies`],
    ['setid', setId.length > 0, countOf(setId.length, 'set-id program')],
  ]
  const links = all.flatMap(([id, isFound, text, kind = '']) =>
    isFound ? [el('a', { href: `#${id}`, class: `chip ${kind}`.trim() }, text)] : [],
  )
  return links.length === 0 ? undefined : el('nav', { class: 'chips', 'aria-label': 'Findings' }, ...links)
}
