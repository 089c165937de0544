import { el } from './dom.js'
import { countOf, formatCount } from './format.js'

/**
 * @template T
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: T) => Node | string} cell
 * @property {(row: T) => string | number} key - Value to sort and to search by.
 * @property {boolean} [number] - Aligned right, sorted largest first.
 * @property {string} [class]
 */

/**
 * @template T
 * @typedef {object} TableOptions
 * @property {string} label - Name of the table for screen readers.
 * @property {string} noun - What a row is.
 * @property {readonly Column<T>[]} columns
 * @property {readonly T[]} rows
 * @property {number} [sortBy] - Index of the column; without it the order of the rows.
 * @property {number} [most] - Rows that are shown at first.
 * @property {boolean} [plain] - Without search and without a count.
 */

/** Rows from which a table has a field for searching. */
const SEARCHED = 8

/**
 * A table that sorts by its columns, and searches if it is long.
 *
 * @template T
 * @param {TableOptions<T>} options
 * @returns {HTMLElement}
 */
export function table({ label, noun, columns, rows, sortBy, most = 12, plain = false }) {
  const state = { column: sortBy, down: sortBy !== undefined && columns[sortBy]?.number === true, text: '', most }
  const body = el('tbody')
  const foot = el('p', { class: 'table-foot' })
  const heads = columns.map((column, i) => {
    const button = el('button', { type: 'button', class: 'sort', onclick: () => sort(i) }, column.title)
    return el('th', { scope: 'col', class: columnClass(column) }, button)
  })
  const sort = (/** @type {number} */ i) => {
    state.down = state.column === i ? !state.down : columns[i]?.number === true
    state.column = i
    draw()
  }
  const draw = () => {
    const shown = sorted(matching(rows, columns, state.text), columns, state)
    heads.forEach((head, i) => {
      if (state.column === i) head.setAttribute('aria-sort', state.down ? 'descending' : 'ascending')
      else head.removeAttribute('aria-sort')
    })
    body.replaceChildren(...shown.slice(0, state.most).map(row => rowOf(row, columns)))
    if (shown.length === 0)
      body.append(el('tr', {}, el('td', { colspan: columns.length, class: 'empty' }, 'Nothing found.')))
    foot.replaceChildren(...footOf(shown.length))
  }
  const footOf = (/** @type {number} */ found) => {
    const all = () => {
      state.most = Number.POSITIVE_INFINITY
      draw()
    }
    const text = found > state.most ? `${formatCount(state.most)} of ${countOf(found, noun)}` : countOf(found, noun)
    const more = found > state.most && el('button', { type: 'button', class: 'link', onclick: all }, 'Show all')
    return plain && !more ? [] : [text, ...(more ? [' · ', more] : [])]
  }
  const search =
    !plain &&
    rows.length >= SEARCHED &&
    el('input', {
      type: 'search',
      placeholder: 'Search',
      'aria-label': `Search: ${label}`,
      oninput: (/** @type {Event} */ event) => {
        state.text = /** @type {HTMLInputElement} */ (event.target).value
        draw()
      },
    })
  draw()
  const head = el('thead', {}, el('tr', {}, ...heads))
  return el('div', { class: 'table' }, search, el('table', { 'aria-label': label }, head, body), foot)
}

/**
 * @template T
 * @param {Column<T>} column
 */
function columnClass(column) {
  return `${column.number ? 'number' : ''} ${column.class ?? ''}`.trim() || undefined
}

/**
 * @template T
 * @param {T} row
 * @param {readonly Column<T>[]} columns
 */
function rowOf(row, columns) {
  return el('tr', {}, ...columns.map(column => el('td', { class: columnClass(column) }, column.cell(row))))
}

/**
 * @template T
 * @param {readonly T[]} rows
 * @param {readonly Column<T>[]} columns
 * @param {string} text
 */
function matching(rows, columns, text) {
  const wanted = text.toLowerCase()
  if (wanted === '') return rows
  return rows.filter(row =>
    columns.some(({ key, number }) => !number && String(key(row)).toLowerCase().includes(wanted)),
  )
}

/**
 * @template T
 * @param {readonly T[]} rows
 * @param {readonly Column<T>[]} columns
 * @param {{ column: number | undefined, down: boolean }} by
 */
function sorted(rows, columns, by) {
  const column = by.column === undefined ? undefined : columns[by.column]
  if (!column) return rows
  const sign = by.down ? -1 : 1
  return [...rows].sort((a, b) => {
    const [x, y] = [column.key(a), column.key(b)]
    return x === y ? 0 : x < y ? -sign : sign
  })
}
