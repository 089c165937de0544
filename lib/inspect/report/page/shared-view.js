import { bar, el, section } from './dom.js'
import { formatBytes, formatCount, instructionOf, percent, printable, shortDigest } from './format.js'
import { table } from './table.js'

/** @typedef {import('../report-data.ts').ReportData} ReportData */

/**
 * What the images of a page have in common, and a table of them from which one is chosen.
 *
 * @param {ReportData} data
 * @param {(image: number) => void} onChoose
 */
export function sharedView({ images, shared, dedup, split }, onChoose) {
  if (!shared) return undefined
  const rows = images.map((image, index) => ({ image, index, share: shared.images[index] }))
  const all = table({
    label: 'Images',
    noun: 'image',
    plain: true,
    most: 32,
    rows,
    columns: [
      {
        title: 'Image',
        class: 'path',
        key: ({ image }) => image.name,
        cell: ({ image, index }) => el('a', { href: '#image', onclick: () => onChoose(index) }, printable(image.name)),
      },
      bytesColumn('Compressed', ({ image }) => image.analysis.blobBytes),
      bytesColumn('Unpacked', ({ image }) => image.analysis.bytes),
      bytesColumn('In shared layers', ({ share }) => share?.layerBytes ?? 0),
      bytesColumn('Only here', ({ share }) => share?.ownBytes ?? 0),
      bytesColumn('Wasted', ({ image }) => image.analysis.waste.bytes, 'wide'),
      {
        title: 'Efficiency',
        number: true,
        class: 'wide',
        key: ({ image }) => image.analysis.efficiency.score,
        cell: ({ image }) => percent(image.analysis.efficiency.score),
      },
    ],
  })
  const note =
    '“In shared layers” counts files in layers that another image has too; “only here” file contents that no other image has.'
  return section(
    'shared',
    'Images compared',
    note,
    all,
    keptView(shared.kept, dedup),
    layersOf(shared, images),
    splitView(split),
  )
}

/**
 * @template T
 * @param {string} title
 * @param {(row: T) => number} key
 * @param {string} [name]
 * @returns {import('./table.js').Column<T>}
 */
function bytesColumn(title, key, name) {
  return { title, number: true, key, cell: row => formatBytes(key(row)), ...(name ? { class: name } : {}) }
}

/**
 * Bytes to keep all images, by what is kept once.
 *
 * @param {import('../report-data.ts').SharedContent['kept']} kept
 * @param {ReportData['dedup']} dedup
 */
function keptView(kept, dedup) {
  const chunk = dedup?.levels.find(({ level }) => level === 'chunk')
  /** @type {[string, number][]} */
  const levels = [
    ['Each image alone', kept.image],
    ['Each layer once, as a store does', kept.layer],
    ['Each file once', kept.file],
    ...(chunk ? /** @type {[string, number][]} */ ([['Each chunk once', chunk.bytes]]) : []),
  ]
  const most = Math.max(1, kept.image)
  const rows = levels.map(([title, bytes]) =>
    el(
      'div',
      { class: 'kept' },
      el('dt', {}, title),
      el(
        'dd',
        {},
        bar({ share: bytes / most, class: 'accent' }),
        el(
          'span',
          {},
          bytes === kept.image ? formatBytes(bytes) : `${formatBytes(bytes)} · saves ${percent(1 - bytes / most)}`,
        ),
      ),
    ),
  )
  const compressed = dedup && compressedView(dedup)
  return el('div', {}, el('h3', {}, 'Kept once'), el('dl', { class: 'levels' }, ...rows), compressed)
}

/** @param {NonNullable<ReportData['dedup']>} dedup */
function compressedView({ levels, chunks }) {
  const titles = {
    image: 'each image alone',
    blob: 'each layer once',
    file: 'each file once',
    chunk: 'each chunk once',
  }
  const rows = table({
    label: 'Deduplication as a store would pay for it',
    noun: 'level',
    plain: true,
    rows: levels,
    columns: [
      { title: 'Kept', key: ({ level }) => level, cell: ({ level }) => titles[level] },
      { title: 'Pieces', number: true, key: ({ pieces }) => pieces, cell: ({ pieces }) => formatCount(pieces) },
      {
        title: 'Compressed',
        number: true,
        key: ({ compressedBytes = 0 }) => compressedBytes,
        cell: ({ compressedBytes }) => (compressedBytes === undefined ? '–' : formatBytes(compressedBytes)),
      },
      bytesColumn('Index', ({ indexBytes }) => indexBytes),
    ],
  })
  return el(
    'div',
    {},
    el('p', { class: 'lead' }, `Chunks are cut by content, about ${formatBytes(chunks.mean)} each.`),
    rows,
  )
}

/**
 * @param {import('../report-data.ts').SharedContent} shared
 * @param {ReportData['images']} images
 */
function layersOf({ layers }, images) {
  if (layers.length === 0) return el('p', { class: 'lead' }, 'No two of these images have a layer in common.')
  const rows = table({
    label: 'Shared layers',
    noun: 'layer',
    rows: layers,
    sortBy: 1,
    columns: [
      {
        title: 'Layer',
        class: 'path',
        key: ({ createdBy = '' }) => createdBy,
        cell: ({ createdBy, diffId }) => instructionOf(createdBy) || shortDigest(diffId),
      },
      bytesColumn('Files', ({ bytes }) => bytes),
      {
        title: 'Images',
        key: one => one.images.length,
        cell: one =>
          one.images.length === images.length
            ? 'all'
            : one.images.map(i => printable(images[i]?.name ?? '')).join(', '),
      },
    ],
  })
  return el('div', {}, el('h3', {}, 'Shared layers'), rows)
}

/** @param {ReportData['split']} split */
function splitView(split) {
  if (!split || split.layers.length === 0) return undefined
  const rows = table({
    label: 'Advised layers',
    noun: 'layer',
    plain: true,
    rows: split.layers.map((layer, index) => ({ layer, index })),
    columns: [
      { title: 'Layer', number: true, key: ({ index }) => index, cell: ({ index }) => String(index + 1) },
      {
        title: 'Holds',
        class: 'path',
        key: ({ layer }) => layer.places[0]?.path ?? '',
        cell: ({ layer }) =>
          printable(
            layer.places
              .slice(0, 4)
              .map(({ path }) => `/${path}`)
              .join(', '),
          ),
      },
      bytesColumn('Files', ({ layer }) => layer.bytes),
      {
        title: 'Changed in',
        number: true,
        key: ({ layer }) => layer.changedIn,
        cell: ({ layer }) => `${layer.changedIn} of ${split.updates.length}`,
      },
    ],
  })
  const note = 'What changes in the same releases belongs into one layer, the most stable one lowest.'
  return el('div', {}, el('h3', {}, 'Layers that updates would cost less with'), el('p', { class: 'lead' }, note), rows)
}
