import { el, section } from './dom.js'
import { printable } from './format.js'
import { imageView } from './image-view.js'
import { listView } from './list-view.js'
import { sharedView } from './shared-view.js'
import { themeButton } from './theme.js'

/** @typedef {import('../report-data.ts').ReportData} ReportData */

/**
 * @param {string} id
 * @returns {any}
 */
function readBlock(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? 'null')
}

/** @type {ReportData | import('../site-data.ts').ListData | import('../site-data.ts').ErrorData} */
const data = readBlock('data')

/** The chosen image, which is drawn when it is chosen. */
let chosen = 0
const main = el('main', { id: 'main', tabindex: -1 })

function draw() {
  if (data.kind === 'list') main.replaceChildren(listView(data))
  else if (data.kind === 'error') main.replaceChildren(errorView(data))
  else drawReport(data)
}

/** @param {ReportData} report */
function drawReport(report) {
  const image = report.images[chosen]
  if (!image) return
  const choose = (/** @type {number} */ next) => {
    chosen = next
    drawReport(report)
  }
  const compared = sharedView(report, choose)
  const view = imageView(image, readBlock(`tree-${chosen}`))
  view.id = 'image'
  main.replaceChildren(...(compared ? [compared, chooser(report, choose)] : []), view)
}

/**
 * @param {ReportData} report
 * @param {(image: number) => void} choose
 */
function chooser({ images }, choose) {
  const options = images.map(({ name }, i) => {
    const option = /** @type {HTMLOptionElement} */ (el('option', { value: i }, printable(name)))
    option.selected = i === chosen
    return option
  })
  const select = /** @type {HTMLSelectElement} */ (
    el(
      'select',
      {
        id: 'chosen-image',
        onchange: () => {
          choose(Number(select.value))
          document.getElementById('chosen-image')?.focus()
        },
      },
      ...options,
    )
  )
  return el('label', { class: 'chooser' }, el('span', {}, 'Image'), select)
}

/** @param {import('../site-data.ts').ErrorData} error */
function errorView({ message, code }) {
  const text = el('p', {}, printable(message))
  return section('error', 'No report', code && printable(code), text)
}

const home = data.kind === 'list' ? undefined : data.home
const brand =
  home === undefined
    ? el('span', { class: 'brand' }, 'layerstore')
    : el('a', { class: 'brand', href: home }, 'layerstore · all images')
const top = el('header', { class: 'top' }, brand, themeButton(draw))
document.body.append(el('a', { class: 'skip', href: '#main' }, 'Skip to the content'), top, main)
draw()
