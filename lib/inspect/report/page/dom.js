/**
 * Creates an element. Text becomes text nodes, never markup: names of files in an image are hostile input.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [properties] - `on…` are listeners, `class`, `aria-…` and `data-…` are attributes.
 * @param {...(Node | string | undefined | false)} children
 * @returns {HTMLElement}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), /** @type {EventListener} */ (value))
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.flatMap(child => (child === undefined || child === false ? [] : [child])))
  return element
}

/**
 * A section with a heading.
 *
 * @param {string} id
 * @param {string} title
 * @param {string | undefined} note
 * @param {...(Node | string | undefined | false)} children
 */
export function section(id, title, note, ...children) {
  const heading = el('h2', { id: `${id}-title` }, title)
  const lead = note ? el('p', { class: 'lead' }, note) : undefined
  return el('section', { id, 'aria-labelledby': `${id}-title` }, heading, lead, ...children)
}

/**
 * A bar that shows shares of a whole. Its figures are beside it as text.
 *
 * @param {...{ share: number, class?: string, color?: string | undefined }} parts
 */
export function bar(...parts) {
  const track = el('span', { class: 'bar', 'aria-hidden': 'true' })
  for (const { share, class: name = '', color } of parts) {
    if (!(share > 0)) continue
    const part = el('span', { class: name })
    part.style.width = `${Math.min(1, share) * 100}%`
    if (color) part.style.backgroundColor = color
    track.append(part)
  }
  return track
}
