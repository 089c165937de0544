/** True if the page is dark, by choice or by the system. */
export function isDark() {
  const { theme } = document.documentElement.dataset
  return theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
}

/**
 * Colour of a layer: calm, equally light for all, so that text on it keeps its contrast. Neighbours differ most.
 *
 * @param {number} layer
 * @param {number} [depth] - Depth in the map, which changes the lightness a little.
 */
export function layerColor(layer, depth = 0) {
  const hue = (195 + layer * 137.5) % 360
  const step = (depth % 2) * 0.025
  return isDark() ? `oklch(${0.43 + step} 0.075 ${hue})` : `oklch(${0.87 - step} 0.065 ${hue})`
}

/**
 * Value of a custom property of the style.
 *
 * @param {string} name
 */
export function styleColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}
