import { layerColor } from './colors.js'
import { bar, el, section } from './dom.js'
import { countOf, formatBytes, formatCount, layerName, printable } from './format.js'
import { childrenOf } from './map-layout.js'
import { createMap } from './map-view.js'
import { table } from './table.js'
import { findFiles, isDirectory, pathOf, unpackTree, weigh } from './tree.js'

const SHOWN = /** @type {const} */ ([
  ['all', 'Everything stored'],
  ['visible', 'What a container sees'],
  ['hidden', 'What no container sees'],
])

const MOST_FOUND = 500

/**
 * The files of an image: a map, the way to the shown directory, a list of it, and a search.
 *
 * @param {import('../pack-tree.ts').PackedTree} tree
 * @param {number} layers - Number of layers.
 * @param {(layer: number | undefined) => void} onLayer - Called when the user chooses a layer here.
 */
export function filesView(tree, layers, onLayer) {
  const root = unpackTree(tree.root)
  /** @type {import('./tree.js').TreeFilter} */
  const filter = { layer: undefined, show: 'all' }
  let shown = root
  const open = (/** @type {import('./tree.js').DirectoryNode} */ directory) => {
    shown = directory
    draw()
  }
  const map = createMap({ onOpen: open, onUp: () => shown.parent && open(shown.parent) })
  const crumbs = el('nav', { class: 'crumbs', 'aria-label': 'Shown directory' })
  const list = el('div', { class: 'listing' })
  const layer = layerSelect(layers, chosen => {
    setLayer(chosen)
    onLayer(chosen)
  })
  const setLayer = (/** @type {number | undefined} */ chosen) => {
    filter.layer = chosen
    layer.select.value = String(chosen ?? '')
    refresh()
  }
  const search = /** @type {HTMLInputElement} */ (
    el('input', {
      type: 'search',
      placeholder: 'Find files',
      'aria-label': 'Find files by path',
      oninput: () => drawList(),
    })
  )
  const refresh = () => {
    weigh(root, filter)
    // A directory of which the filter shows nothing is left.
    while (shown.parent && shown.weight === 0) shown = shown.parent
    draw()
  }
  const draw = () => {
    map.show(shown, root.weight)
    crumbs.replaceChildren(...crumbsOf(shown, open))
    drawList()
  }
  const drawList = () => {
    const text = search.value.trim().replace(/^\//, '')
    list.replaceChildren(text === '' ? listing(shown, open) : foundFiles(root, text, filter, file => open(file.parent)))
  }
  const show = showSelect(chosen => {
    filter.show = chosen
    refresh()
  })
  refresh()
  const controls = el(
    'div',
    { class: 'controls' },
    show,
    layer.element,
    el('label', {}, el('span', {}, 'Search'), search),
  )
  const note = groupedNote(tree)
  return {
    element: section('files', 'Files', note, controls, crumbs, map.element, list),
    setLayer,
    redraw: draw,
  }
}

/** @param {import('../pack-tree.ts').PackedTree} tree */
function groupedNote({ grouped, groupedBelow }) {
  if (grouped === 0) return 'Area is size, colour is the layer. Hatched files are stored, but no container sees them.'
  return (
    `Area is size, colour is the layer. To keep this page small, ${countOf(grouped, 'file')} of at most ` +
    `${formatBytes(groupedBelow)} are counted in their directory and not listed.`
  )
}

/**
 * @param {number} layers
 * @param {(layer: number | undefined) => void} onChange
 */
function layerSelect(layers, onChange) {
  const options = Array.from({ length: layers }, (_, i) => el('option', { value: i }, layerName(i).replace('l', 'L')))
  const select = /** @type {HTMLSelectElement} */ (
    el(
      'select',
      { onchange: () => onChange(select.value === '' ? undefined : Number(select.value)) },
      el('option', { value: '' }, 'All layers'),
      ...options,
    )
  )
  return { select, element: el('label', {}, el('span', {}, 'Layer'), select) }
}

/** @param {(show: import('./tree.js').TreeFilter['show']) => void} onChange */
function showSelect(onChange) {
  const options = SHOWN.map(([value, text]) => el('option', { value }, text))
  const select = /** @type {HTMLSelectElement} */ (
    el(
      'select',
      { onchange: () => onChange(/** @type {import('./tree.js').TreeFilter['show']} */ (select.value)) },
      ...options,
    )
  )
  return el('label', {}, el('span', {}, 'Show'), select)
}

/**
 * @param {import('./tree.js').DirectoryNode} shown
 * @param {(directory: import('./tree.js').DirectoryNode) => void} open
 */
function crumbsOf(shown, open) {
  const nodes = []
  for (let at = /** @type {import('./tree.js').DirectoryNode | undefined} */ (shown); at; at = at.parent)
    nodes.unshift(at)
  return nodes.map((node, i) => {
    const name = node.parent ? printable(node.name) : '/'
    if (i === nodes.length - 1) return el('span', { 'aria-current': 'location' }, name)
    return el('button', { type: 'button', class: 'link', onclick: () => open(node) }, name)
  })
}

/**
 * The list of a directory, which has what is too small for the map.
 *
 * @param {import('./tree.js').DirectoryNode} shown
 * @param {(directory: import('./tree.js').DirectoryNode) => void} open
 */
function listing(shown, open) {
  const rows = childrenOf(shown)
  const all = shown.weight
  return table({
    label: `Contents of ${printable(pathOf(shown))}`,
    noun: 'entry',
    rows,
    sortBy: 1,
    columns: [
      {
        title: 'Name',
        class: 'path',
        key: ({ name }) => name,
        cell: node =>
          isDirectory(node)
            ? el('button', { type: 'button', class: 'link', onclick: () => open(node) }, `${printable(node.name)}/`)
            : printable(node.name),
      },
      { title: 'Size', number: true, key: ({ weight }) => weight, cell: ({ weight }) => formatBytes(weight) },
      {
        title: 'Share',
        class: 'share',
        number: true,
        key: ({ weight }) => weight,
        cell: node => bar({ share: node.weight / all, color: colorOf(node) }),
      },
      {
        title: 'Files',
        number: true,
        class: 'wide',
        key: ({ count }) => count,
        cell: ({ count }) => formatCount(count),
      },
      { title: 'Layer', class: 'wide', key: layerKey, cell: layerText },
    ],
  })
}

/**
 * @param {import('./tree.js').DirectoryNode} root
 * @param {string} text
 * @param {import('./tree.js').TreeFilter} filter
 * @param {(file: import('./tree.js').FileNode) => void} show
 */
function foundFiles(root, text, filter, show) {
  const found = findFiles(root, text, filter)
  const sum = found.reduce((bytes, file) => bytes + file.bytes, 0)
  const first = found.length > MOST_FOUND ? `, the largest ${MOST_FOUND} listed` : ''
  const told = el(
    'p',
    { class: 'found', role: 'status' },
    `${countOf(found.length, 'file')}, ${formatBytes(sum)}${first}`,
  )
  const rows = table({
    label: 'Found files',
    noun: 'file',
    plain: true,
    most: 50,
    rows: found.slice(0, MOST_FOUND),
    sortBy: 1,
    columns: [
      {
        title: 'Path',
        class: 'path',
        key: pathOf,
        cell: file =>
          el('button', { type: 'button', class: 'link', onclick: () => show(file) }, printable(pathOf(file))),
      },
      { title: 'Size', number: true, key: ({ bytes }) => bytes, cell: ({ bytes }) => formatBytes(bytes) },
      { title: 'Layer', key: layerKey, cell: layerText },
    ],
  })
  return el('div', {}, told, rows)
}

/** @param {import('./tree.js').TreeNode} node */
function layerKey(node) {
  return isDirectory(node) ? -1 : node.layer * 2 + (node.hidden ? 1 : 0)
}

/** @param {import('./tree.js').TreeNode} node */
function layerText(node) {
  if (isDirectory(node)) return ''
  return `${node.layer + 1}${node.hidden ? ', not seen' : ''}`
}

/** @param {import('./tree.js').TreeNode} node */
function colorOf(node) {
  return isDirectory(node) ? undefined : layerColor(node.layer)
}
