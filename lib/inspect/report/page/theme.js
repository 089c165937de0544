import { el } from './dom.js'

const NEXT = /** @type {const} */ ({ auto: 'light', light: 'dark', dark: 'auto' })
const LABEL = { auto: 'Auto', light: 'Light', dark: 'Dark' }
const KEY = 'layerstore-theme'

/**
 * A button that changes between the colours of the system, light and dark.
 *
 * @param {() => void} onChange
 */
export function themeButton(onChange) {
  /** @type {keyof typeof NEXT} */
  let theme = remembered()
  const text = el('span', { class: 'theme-name' })
  const button = el('button', { type: 'button', class: 'theme', onclick: () => set(NEXT[theme]) }, text)
  const set = (/** @type {keyof typeof NEXT} */ next) => {
    theme = next
    if (theme === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    text.textContent = LABEL[theme]
    button.setAttribute('aria-label', `Colours: ${LABEL[theme]}`)
    remember(theme)
    onChange()
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange)
  set(theme)
  return button
}

/** @returns {keyof typeof NEXT} */
function remembered() {
  try {
    const theme = localStorage.getItem(KEY)
    return theme === 'light' || theme === 'dark' ? theme : 'auto'
  } catch {
    // A page in a file may have no storage.
    return 'auto'
  }
}

/** @param {string} theme */
function remember(theme) {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // As above.
  }
}
