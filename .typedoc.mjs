// A TypeDoc plugin: categories by journey, names of doors as they are imported, links by name across doors, and layout.
import { readFileSync } from 'node:fs'
import { CommentTag, Converter, JSX } from 'typedoc'

const door = readFileSync(new URL('./lib/index.ts', import.meta.url), 'utf8')
const journeys = journeysOf(door)

/** Wide code and tables scroll instead of wrapping or leaving the page. A page has one title, that of its text. */
const STYLE = `
.tsd-typography pre { white-space: pre; word-wrap: normal; overflow-x: auto; }
.tsd-typography pre code { font-size: 0.8rem; }
.tsd-typography table { display: block; overflow-x: auto; margin-bottom: 1em; }
.tsd-page-title:has(+ .tsd-typography h1) { display: none; }
@media (min-width: 1200px) { .container-main { grid-template-columns: minmax(0, 1fr) minmax(0, 3.4fr) minmax(0, 16rem); } }
`

/** The list of guides is open when a reader comes for the first time. */
const OPEN_GUIDES = `try { localStorage['tsd-accordion-Guides'] ??= 'true' } catch {}`

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.on('bootstrapEnd', () => app.options.setValue('categoryOrder', [...new Set(journeys.values()), '*']))
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) {
      if (module.name === 'index') addCategories(module)
      module.name = nameOf(module.name)
    }
  })
  app.converter.addUnknownSymbolResolver(resolveByName)
  app.renderer.hooks.on('head.end', () =>
    JSX.createElement(JSX.Fragment, null, [
      JSX.createElement('style', null, JSX.createElement(JSX.Raw, { html: STYLE })),
      JSX.createElement('script', null, JSX.createElement(JSX.Raw, { html: OPEN_GUIDES })),
    ]),
  )
}

/** The name by which users import a door. Errors have no door of their own: the front door exports them. */
function nameOf(room) {
  if (room === 'index') return 'layerstore'
  return room === 'errors' ? 'layerstore, errors' : `layerstore/${room}`
}

/** The journey of each name of the front door: the comment above its group there, up to a colon. */
export function journeysOf(text) {
  const found = new Map()
  let journey = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('// ') && !line.startsWith('// biome')) journey = line.slice(3).split(':')[0]
    const [, name] = /^export (?:type )?\{ (\w+) \}/.exec(line) ?? []
    if (name) found.set(name, journey)
  }
  return found
}

/** The index of the front door is grouped by journey, as its source is. */
function addCategories(module) {
  for (const child of module.children ?? []) {
    const journey = journeys.get(child.name)
    const comment = child.comment ?? child.signatures?.[0]?.comment
    if (!journey || !comment) throw new Error(`no journey or no comment: ${child.name}`)
    comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: journey }]))
  }
}

/**
 * `@throws {@link FormatError}` is no link node to TypeScript, which parses the braces of @throws as a type. TypeDoc
 * then looks for the name in the door of the comment only.
 */
function resolveByName(reference, from) {
  const path = reference.symbolReference?.path
  const [first, ...members] = path?.map(part => part.path) ?? []
  if (reference.moduleSource !== undefined || first === undefined) return undefined
  for (const door of from.project.children ?? []) {
    const found = door.getChildByName([first, ...members])
    if (found) return { target: found, caption: [first, ...members].join('.') }
  }
  return undefined
}
