import { el } from './dom.js'
import { countOf, formatBytes, layerName, percent, printable } from './format.js'
import { layOut, STRIP } from './map-layout.js'
import { paintMap } from './map-painter.js'
import { isDirectory, pathOf } from './tree.js'

/** Buttons at most; smaller boxes are only painted. They are in the list below the map. */
const MOST_BUTTONS = 250
const LEAST_SIDE = 16

/**
 * The map of a directory: a painted picture, with a button for each box that is directly in the directory.
 *
 * @param {object} actions
 * @param {(directory: import('./tree.js').DirectoryNode) => void} actions.onOpen
 * @param {() => void} actions.onUp
 */
export function createMap({ onOpen, onUp }) {
  const canvas = /** @type {HTMLCanvasElement} */ (el('canvas', { 'aria-hidden': 'true' }))
  const buttons = el('div', { class: 'map-buttons' })
  const status = el('p', { class: 'map-status', 'aria-live': 'polite' })
  const help = 'Enter opens a directory, Escape goes back, the arrow keys move.'
  const frame = el('div', { class: 'map', role: 'group', 'aria-label': `Map of the files. ${help}` }, canvas, buttons)
  /** @type {import('./map-layout.js').Cell[]} */
  let cells = []
  /** @type {import('./tree.js').DirectoryNode | undefined} */
  let shown
  let total = 0

  const tell = (/** @type {import('./tree.js').TreeNode | undefined} */ node) => {
    status.textContent = node ? describeNode(node, total) : shown ? describeNode(shown, total) : ''
  }
  const draw = () => {
    if (!shown) return
    const { clientWidth: width, clientHeight: height } = frame
    cells = layOut(shown, width, height)
    paintMap(canvas, cells, width, height)
    const outer = cells.filter(({ depth, box }) => depth === 0 && box.w >= LEAST_SIDE && box.h >= LEAST_SIDE)
    buttons.replaceChildren(...outer.slice(0, MOST_BUTTONS).map((cell, i) => buttonOf(cell, i, { onOpen, tell })))
    frame.classList.toggle('empty', cells.length === 0)
    tell(undefined)
  }
  frame.addEventListener('pointermove', event => tell(cellAt(cells, frame, event)?.node))
  frame.addEventListener('pointerleave', () => tell(undefined))
  frame.addEventListener('keydown', event => {
    if (event.key === 'Escape' || event.key === 'Backspace') onUp()
    else if (!event.key.startsWith('Arrow') || !moveFocus(buttons, event.key)) return
    event.preventDefault()
  })
  new ResizeObserver(() => draw()).observe(frame)
  return {
    element: el('div', { class: 'map-box' }, frame, status),
    draw,
    /**
     * @param {import('./tree.js').DirectoryNode} directory
     * @param {number} all - Bytes that are 100 %.
     */
    show(directory, all) {
      const hadFocus = frame.contains(document.activeElement)
      shown = directory
      total = all
      draw()
      if (hadFocus) /** @type {HTMLElement | null} */ (buttons.firstElementChild)?.focus()
    },
    tell,
  }
}

/**
 * @param {import('./tree.js').TreeNode} node
 * @param {number} total
 */
export function describeNode(node, total) {
  const size = `${formatBytes(node.weight)}, ${percent(total === 0 ? 0 : node.weight / total)}`
  if (isDirectory(node)) return `${printable(pathOf(node))} · ${size} · ${countOf(node.count, 'file')}`
  return `${printable(pathOf(node))} · ${size} · ${layerName(node.layer)}${node.hidden ? ', no container sees it' : ''}`
}

/**
 * @param {import('./map-layout.js').Cell} cell
 * @param {number} index
 * @param {{ onOpen: (directory: import('./tree.js').DirectoryNode) => void, tell: (node: import('./tree.js').TreeNode) => void }} actions
 */
function buttonOf({ node, box, titled }, index, { onOpen, tell }) {
  const hasName = box.w > 50 && box.h >= STRIP
  const hasSize = hasName && (titled ? box.w > 110 : box.h > 36)
  const kind = isDirectory(node) ? 'directory' : node.hidden ? 'file that no container sees' : 'file'
  const button = el(
    'button',
    {
      type: 'button',
      tabindex: index === 0 ? 0 : -1,
      class: isDirectory(node) ? (titled ? 'directory titled' : 'directory') : 'file',
      onclick: () => (isDirectory(node) ? onOpen(node) : tell(node)),
      onfocus: () => tell(node),
    },
    el('span', { class: hasName ? 'name' : 'unseen' }, printable(node.name)),
    ' ',
    el('span', { class: hasSize ? 'size' : 'unseen' }, formatBytes(node.weight)),
    ' ',
    el('span', { class: 'unseen' }, kind),
  )
  Object.assign(button.style, {
    left: `${box.x}px`,
    top: `${box.y}px`,
    width: `${Math.max(1, box.w - 1)}px`,
    height: `${Math.max(1, box.h - 1)}px`,
  })
  return button
}

/**
 * Moves the focus to the nearest box in a direction. Returns false if none is there.
 *
 * @param {HTMLElement} buttons
 * @param {string} key
 */
function moveFocus(buttons, key) {
  const all = /** @type {HTMLElement[]} */ ([...buttons.children])
  const from = all.find(button => button === document.activeElement)
  if (!from) return false
  const [fx, fy] = centerOf(from)
  const isWanted = (/** @type {number} */ dx, /** @type {number} */ dy) =>
    key === 'ArrowRight' ? dx > 1 : key === 'ArrowLeft' ? dx < -1 : key === 'ArrowDown' ? dy > 1 : dy < -1
  const isAcross = key === 'ArrowRight' || key === 'ArrowLeft'
  let [next, best] = [from, Number.POSITIVE_INFINITY]
  for (const button of all) {
    const [x, y] = centerOf(button)
    const [dx, dy] = [x - fx, y - fy]
    const distance = isAcross ? Math.abs(dx) + 3 * Math.abs(dy) : Math.abs(dy) + 3 * Math.abs(dx)
    if (isWanted(dx, dy) && distance < best) [next, best] = [button, distance]
  }
  if (next === from) return false
  from.tabIndex = -1
  next.tabIndex = 0
  next.focus()
  return true
}

/** @param {HTMLElement} element */
function centerOf({ offsetLeft, offsetTop, offsetWidth, offsetHeight }) {
  return /** @type {const} */ ([offsetLeft + offsetWidth / 2, offsetTop + offsetHeight / 2])
}

/**
 * The innermost box under the pointer.
 *
 * @param {readonly import('./map-layout.js').Cell[]} cells
 * @param {HTMLElement} frame
 * @param {PointerEvent} event
 */
function cellAt(cells, frame, { clientX, clientY }) {
  const { left, top } = frame.getBoundingClientRect()
  const [px, py] = [clientX - left, clientY - top]
  return cells.findLast(({ box: { x, y, w, h } }) => px >= x && px < x + w && py >= y && py < y + h)
}
