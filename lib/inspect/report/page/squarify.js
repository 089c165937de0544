/** @typedef {{ x: number, y: number, w: number, h: number }} Box */

/**
 * Lays items out in a box, each with an area in proportion to its weight and a shape close to a square (Bruls, Huizing,
 * van Wijk: Squarified treemaps, 2000). Items must come largest first.
 *
 * @template {{ weight: number }} T
 * @param {readonly T[]} items
 * @param {Box} box
 * @returns {{ item: T, box: Box }[]}
 */
export function squarify(items, box) {
  const placed = []
  let { x, y, w, h } = box
  let left = items.reduce((sum, { weight }) => sum + weight, 0)
  for (let start = 0; start < items.length && left > 0 && w > 0 && h > 0; ) {
    const scale = (w * h) / left
    const side = Math.min(w, h)
    const end = endOfRow(items, start, side, scale)
    const row = items.slice(start, end)
    const sum = row.reduce((total, { weight }) => total + weight, 0)
    const thick = (sum * scale) / side
    let along = 0
    for (const item of row) {
      const length = (item.weight / sum) * side
      placed.push({
        item,
        box: w < h ? { x: x + along, y, w: length, h: thick } : { x, y: y + along, w: thick, h: length },
      })
      along += length
    }
    if (w < h) [y, h] = [y + thick, h - thick]
    else [x, w] = [x + thick, w - thick]
    left -= sum
    start = end
  }
  return placed
}

/**
 * End of the row that begins at an item: it ends before the shapes get worse.
 *
 * @param {readonly { weight: number }[]} items
 * @param {number} start
 * @param {number} side
 * @param {number} scale
 */
function endOfRow(items, start, side, scale) {
  const largest = (items[start]?.weight ?? 0) * scale
  let sum = 0
  let worst = Number.POSITIVE_INFINITY
  let end = start
  for (; end < items.length; end++) {
    const area = (items[end]?.weight ?? 0) * scale
    const next = sum + area
    if (area <= 0) break
    const thick = next / side
    const ratio = Math.max(largest / thick / thick, thick / (area / thick))
    if (end > start && ratio > worst) break
    worst = ratio
    sum = next
  }
  return end > start ? end : start + 1
}
