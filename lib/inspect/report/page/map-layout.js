import { squarify } from './squarify.js'
import { isDirectory } from './tree.js'

/**
 * A box of the map.
 *
 * @typedef {object} Cell
 * @property {import('./tree.js').TreeNode} node
 * @property {import('./squarify.js').Box} box
 * @property {number} depth - 0 for what is directly in the shown directory.
 * @property {boolean} titled - It has a strip with its name.
 */

/** Height of the strip with the name of a directory, in CSS pixels. */
export const STRIP = 20

/** Boxes below this area, in square CSS pixels, are not divided any further. */
const LEAST_AREA = 60
const MOST_DEPTH = 12

/**
 * Lays a directory out, outermost boxes first.
 *
 * @param {import('./tree.js').DirectoryNode} root
 * @param {number} width
 * @param {number} height
 */
export function layOut(root, width, height) {
  /** @type {Cell[]} */
  const cells = []
  const fill = (
    /** @type {import('./tree.js').DirectoryNode} */ directory,
    /** @type {import('./squarify.js').Box} */ box,
    /** @type {number} */ depth,
  ) => {
    for (const { item: node, box: place } of squarify(childrenOf(directory), box)) {
      const titled = isDirectory(node) && place.w > 46 && place.h > STRIP * 2 && depth < 3
      cells.push({ node, box: place, depth, titled })
      if (!isDirectory(node) || place.w * place.h < LEAST_AREA || depth >= MOST_DEPTH) continue
      const inner = inset(place, titled)
      if (inner.w > 2 && inner.h > 2) fill(node, inner, depth + 1)
    }
  }
  fill(root, { x: 0, y: 0, w: width, h: height }, 0)
  return cells
}

/**
 * What a directory holds and the filter shows, largest first.
 *
 * @param {import('./tree.js').DirectoryNode} directory
 * @returns {import('./tree.js').TreeNode[]}
 */
export function childrenOf(directory) {
  return [...directory.directories, ...directory.files]
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1))
}

/**
 * @param {import('./squarify.js').Box} box
 * @param {boolean} titled
 */
function inset({ x, y, w, h }, titled) {
  const edge = Math.min(w, h) > 24 ? 2 : 0
  const top = titled ? STRIP : edge
  return { x: x + edge, y: y + top, w: w - 2 * edge, h: h - top - edge }
}
