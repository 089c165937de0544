import { el, section } from './dom.js'
import { countOf, formatBytes, printable, shortDigest } from './format.js'
import { table } from './table.js'

/** Images that one report compares. */
const MOST_COMPARED = 32

/**
 * The list of the images of a store. Images that are ticked can be compared.
 *
 * @param {import('../site-data.ts').ListData} data
 */
export function listView({ images, more, report }) {
  /** @type {Set<string>} */
  const ticked = new Set()
  const compare = el(
    'button',
    {
      type: 'button',
      class: 'primary',
      disabled: true,
      onclick: () => location.assign(addressOf(report, [...ticked])),
    },
    'Compare',
  )
  const tick = (/** @type {string} */ name, /** @type {boolean} */ isTicked) => {
    if (isTicked) ticked.add(name)
    else ticked.delete(name)
    const isPossible = ticked.size > 1 && ticked.size <= MOST_COMPARED
    compare.toggleAttribute('disabled', !isPossible)
    compare.textContent = ticked.size > 1 ? `Compare ${countOf(ticked.size, 'image')}` : 'Compare'
  }
  const rows = table({
    label: 'Images of the store',
    noun: 'image',
    most: 100,
    rows: images,
    sortBy: 1,
    columns: [
      {
        title: 'Compare',
        class: 'tick',
        key: ({ name }) => (ticked.has(name) ? 0 : 1),
        cell: image => tickBox(image, ticked, tick),
      },
      { title: 'Image', class: 'path', key: ({ name }) => name, cell: image => imageLinks(image, report) },
      { title: 'Digest', class: 'wide code', key: ({ digest }) => digest, cell: ({ digest }) => shortDigest(digest) },
      {
        title: 'Layers',
        number: true,
        class: 'wide',
        key: ({ layers = 0 }) => layers,
        cell: ({ layers }) => (layers === undefined ? '' : String(layers)),
      },
      {
        title: 'Compressed',
        number: true,
        key: ({ blobBytes = 0 }) => blobBytes,
        cell: ({ blobBytes }) => (blobBytes === undefined ? '' : formatBytes(blobBytes)),
      },
      {
        title: 'Created',
        class: 'wide',
        key: ({ created = '' }) => created,
        cell: ({ created = '' }) => printable(created.slice(0, 10)),
      },
    ],
  })
  const left = more > 0 && el('p', { class: 'lead' }, `${countOf(more, 'further name')} of the store are not listed.`)
  const note =
    images.length === 0
      ? 'This store has no image yet.'
      : 'Reports are made when they are asked for, from the images as they are now.'
  return el(
    'div',
    {},
    el('h1', {}, 'Images'),
    section('images', 'In this store', note, rows, el('div', { class: 'controls' }, compare), left),
  )
}

/**
 * @param {import('../site-data.ts').ListedImageName} image
 * @param {Set<string>} ticked
 * @param {(name: string, isTicked: boolean) => void} tick
 */
function tickBox({ name, fault }, ticked, tick) {
  if (fault !== undefined) return ''
  const box = /** @type {HTMLInputElement} */ (
    el('input', {
      type: 'checkbox',
      'aria-label': `Compare ${printable(name)}`,
      onchange: () => tick(name, box.checked),
    })
  )
  box.checked = ticked.has(name)
  return box
}

/**
 * @param {import('../site-data.ts').ListedImageName} image
 * @param {string} report
 */
function imageLinks({ name, platforms, fault }, report) {
  if (fault !== undefined) return el('div', {}, printable(name), el('div', { class: 'muted' }, printable(fault)))
  if (platforms.length < 2) return el('a', { href: addressOf(report, [name], platforms[0]) }, printable(name))
  const links = platforms.map(platform =>
    el('a', { class: 'chip', href: addressOf(report, [name], platform) }, printable(platform)),
  )
  return el('div', {}, printable(name), el('div', { class: 'chips' }, ...links))
}

/**
 * @param {string} report
 * @param {readonly string[]} names
 * @param {string} [platform]
 */
function addressOf(report, names, platform) {
  const query = new URLSearchParams(names.map(name => ['image', name]))
  if (platform !== undefined) query.set('platform', platform)
  return `${report}?${query}`
}
