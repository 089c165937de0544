// A TypeDoc plugin: categories by journey, names of doors as they are imported, and links by name across doors.
import { readFileSync } from 'node:fs'
import { CommentTag, Converter } from 'typedoc'

const door = readFileSync(new URL('./lib/index.ts', import.meta.url), 'utf8')
const journeys = journeysOf(door)

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.on('bootstrapEnd', () => app.options.setValue('categoryOrder', [...new Set(journeys.values()), '*']))
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) {
      if (module.name === 'index') addCategories(module)
      // Errors have no door of their own: the front door exports them.
      if (module.name !== 'errors') module.name = module.name === 'index' ? 'layerstore' : `layerstore/${module.name}`
    }
  })
  app.converter.addUnknownSymbolResolver(resolveByName)
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
