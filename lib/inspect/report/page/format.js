const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/**
 * Bytes in decimal units with three significant digits.
 *
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}

/** @param {number} share */
export function percent(share) {
  return Number.isFinite(share) ? `${(share * 100).toFixed(share > 0.995 && share < 1 ? 2 : 1)} %` : '–'
}

/** @param {number} count */
export function formatCount(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u2009')
}

/**
 * @param {number} count
 * @param {string} noun
 */
export function countOf(count, noun) {
  if (count === 1) return `1 ${noun}`
  return `${formatCount(count)} ${noun.replace(/y$/, 'ie').replace(/(ch|x)$/, '$1e')}s`
}

/**
 * Text with control characters, bidirectional controls and line separators as `\uXXXX`, so that a name is one line and
 * shows what it is.
 *
 * @param {string} text
 */
export function printable(text) {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu, character => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/**
 * The instruction of a step, without what builders write around it.
 *
 * @param {string | undefined} command
 */
export function instructionOf(command) {
  if (!command) return ''
  const text = command
    .replace(/\s+/g, ' ')
    .replace(/^\/bin\/sh -c #\(nop\) +/, '')
    .replace(/ # buildkit$/, '')
    .trim()
  return printable(text.replace(/^(?:RUN )?(\|\d+ .*?)?\/bin\/(?:ba)?sh -c /, 'RUN $1'))
}

/** @param {string} digest */
export function shortDigest(digest) {
  return printable(digest.replace(/^(\w+:)?(.{12}).*$/s, '$2'))
}

/**
 * Number of the layer as people count: from 1.
 *
 * @param {number} layer
 */
export function layerName(layer) {
  return `layer ${layer + 1}`
}
