import { el, section } from './dom.js'
import { countOf, formatBytes, formatCount, layerName, printable } from './format.js'
import { table } from './table.js'

/** @typedef {import('../../analyze/image-analysis.ts').ImageAnalysis} ImageAnalysis */

const WHY = {
  replaced: 'replaced',
  rewritten: 'stored again unchanged',
  removed: 'removed',
  repeated: 'repeated in the layer',
  hidden: 'hidden by a link',
}

/**
 * All findings about an image, without those that it does not have.
 *
 * @param {ImageAnalysis} found
 */
export function findingViews(found) {
  return [
    secretsView(found),
    wasteView(found),
    rewritesView(found),
    cachesView(found),
    copiesView(found),
    biggestView(found),
    setIdView(found),
  ].flatMap(view => (view ? [view] : []))
}

/** @param {ImageAnalysis} found */
function secretsView({ secrets }) {
  if (secrets.count === 0) return undefined
  const note =
    'Everybody who can pull the image can read these, removed files too. Change them, then build with secret mounts.'
  const rows = table({
    label: 'Secrets',
    noun: 'secret',
    rows: secrets.found,
    columns: [
      { title: 'Kind', key: ({ kind }) => kind, cell: ({ kind }) => printable(kind) },
      { title: 'Place', class: 'path', key: secretPlace, cell: one => printable(secretPlace(one)) },
      { title: 'In', key: secretLayer, cell: secretLayer },
    ],
  })
  return section('secrets', 'Secrets', note, rows)
}

/** @param {ImageAnalysis['secrets']['found'][number]} secret */
function secretPlace(secret) {
  return secret.where === 'file' ? `/${secret.path}` : secret.variable
}

/** @param {ImageAnalysis['secrets']['found'][number]} secret */
function secretLayer(secret) {
  if (secret.where !== 'file') return secret.where === 'env' ? 'variable of the image' : 'history'
  const hidden = secret.hiddenBy === undefined ? ', not seen' : `, removed in ${secret.hiddenBy + 1}`
  return `${layerName(secret.layer)}${secret.visible ? '' : hidden}`
}

/** @param {ImageAnalysis} found */
function wasteView({ waste }) {
  if (waste.count === 0) return undefined
  const { bytes, baseBytes, count } = waste
  const base = baseBytes > 0 ? ` ${formatBytes(baseBytes)} of it are in the base: only another base can save them.` : ''
  const note = `${formatBytes(bytes)} in ${countOf(count, 'path')} are stored in a layer, and no container sees them.${base}`
  const rows = table({
    label: 'Wasted space',
    noun: 'path',
    rows: waste.paths,
    sortBy: 1,
    columns: [
      pathColumn(),
      { title: 'Wasted', number: true, key: ({ bytes: size }) => size, cell: ({ bytes: size }) => formatBytes(size) },
      { title: 'Why', key: wasteWhy, cell: wasteWhy },
    ],
  })
  return section('waste', 'Wasted space', note, rows, countedNote(waste.paths.length, count, 'path'))
}

/** @param {ImageAnalysis['waste']['paths'][number]} path */
function wasteWhy({ copies }) {
  return copies
    .map(
      ({ layer, why, by }) =>
        `${layerName(layer)} ${WHY[why]}${by === undefined || by === layer ? '' : ` by ${by + 1}`}`,
    )
    .join(', ')
}

/** @param {ImageAnalysis} found */
function rewritesView({ rewrites }) {
  if (rewrites.count === 0) return undefined
  const note = `${formatBytes(rewrites.bytes)} are stored again with the same content, as a chown in a step of its own does. Part of the waste.`
  const rows = table({
    label: 'Files stored again unchanged',
    noun: 'layer',
    plain: true,
    rows: rewrites.layers,
    columns: [
      { title: 'Layer', key: ({ layer }) => layer, cell: ({ layer }) => String(layer + 1) },
      { title: 'Bytes', number: true, key: ({ bytes }) => bytes, cell: ({ bytes }) => formatBytes(bytes) },
      { title: 'Files', number: true, key: ({ count }) => count, cell: ({ count }) => formatCount(count) },
      { title: 'Changed', key: changedFields, cell: changedFields },
    ],
  })
  return section('rewrites', 'Stored again unchanged', note, rows)
}

/** @param {ImageAnalysis['rewrites']['layers'][number]} layer */
function changedFields({ fields }) {
  return (
    Object.entries(fields)
      .map(([field, files]) => `${field} of ${files}`)
      .join(', ') || 'nothing'
  )
}

/** @param {ImageAnalysis} found */
function cachesView({ caches }) {
  if (caches.length === 0) return undefined
  const sum = caches.reduce((bytes, cache) => bytes + cache.bytes, 0)
  const rows = table({
    label: 'Caches and leftovers',
    noun: 'directory',
    rows: caches,
    sortBy: 1,
    columns: [
      pathColumn(),
      { title: 'Bytes', number: true, key: ({ bytes }) => bytes, cell: ({ bytes }) => formatBytes(bytes) },
      { title: 'Kind', key: ({ kind }) => kind, cell: ({ kind }) => printable(kind) },
      { title: 'To avoid it', class: 'advice', key: ({ advice }) => advice, cell: ({ advice }) => printable(advice) },
    ],
  })
  return section(
    'caches',
    'Caches and leftovers',
    `${formatBytes(sum)} of package caches, temporary files and logs in all layers.`,
    rows,
  )
}

/** @param {ImageAnalysis} found */
function copiesView({ copies }) {
  if (copies.count === 0) return undefined
  const note = `${formatBytes(copies.bytes)} are stored more than once: the same content at several paths that a container sees.`
  const rows = table({
    label: 'Same content at several paths',
    noun: 'content',
    rows: copies.contents,
    sortBy: 1,
    columns: [
      { title: 'Paths', class: 'path', key: ({ paths }) => paths.join(' '), cell: copyPaths },
      { title: 'Could save', number: true, key: ({ bytes }) => bytes, cell: ({ bytes }) => formatBytes(bytes) },
      { title: 'Copies', number: true, key: ({ count }) => count, cell: ({ count }) => formatCount(count) },
    ],
  })
  return section(
    'copies',
    'Same content at several paths',
    note,
    rows,
    countedNote(copies.contents.length, copies.count, 'content'),
  )
}

/** @param {ImageAnalysis['copies']['contents'][number]} content */
function copyPaths({ paths, count }) {
  const shown = paths.slice(0, 4).map(path => el('div', {}, printable(`/${path}`)))
  return el('div', {}, ...shown, count > 4 && el('div', { class: 'muted' }, `and ${count - 4} more`))
}

/** @param {ImageAnalysis} found */
function biggestView({ biggest }) {
  const { files, directories } = biggest
  if (files.length === 0) return undefined
  const size = {
    title: 'Size',
    number: true,
    key: (/** @type {{ bytes: number }} */ { bytes }) => bytes,
    cell: (/** @type {{ bytes: number }} */ { bytes }) => formatBytes(bytes),
  }
  const fileTable = table({
    label: 'Largest files',
    noun: 'file',
    most: 10,
    rows: files,
    sortBy: 1,
    columns: [
      pathColumn(),
      size,
      { title: 'Layer', number: true, key: ({ layer }) => layer, cell: ({ layer }) => String(layer + 1) },
    ],
  })
  const directoryTable = table({
    label: 'Largest directories',
    noun: 'directory',
    most: 10,
    rows: directories,
    sortBy: 1,
    columns: [
      pathColumn(),
      size,
      { title: 'Files', number: true, key: row => row.files, cell: row => formatCount(row.files) },
    ],
  })
  const both = el(
    'div',
    { class: 'pair' },
    el('div', {}, el('h3', {}, 'Files'), fileTable),
    el('div', {}, el('h3', {}, 'Directories'), directoryTable),
  )
  return section('biggest', 'Largest', undefined, both)
}

/** @param {ImageAnalysis} found */
function setIdView({ setId }) {
  if (setId.length === 0) return undefined
  const rows = table({ label: 'Set-id programs', noun: 'program', rows: setId, columns: [pathColumn()] })
  return section('setid', 'Set-id programs', 'These run with the rights of their owner or group.', rows)
}

/** @returns {import('./table.js').Column<{ readonly path: string }>} */
function pathColumn() {
  return { title: 'Path', class: 'path', key: ({ path }) => path, cell: ({ path }) => printable(`/${path}`) }
}

/**
 * @param {number} listed
 * @param {number} count
 * @param {string} noun
 */
function countedNote(listed, count, noun) {
  return (
    count > listed &&
    el('p', { class: 'table-foot' }, `The largest ${listed} of ${countOf(count, noun)} are listed; the sums cover all.`)
  )
}
