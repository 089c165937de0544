// A TypeDoc plugin: resolves links by name across doors.
// `@throws {@link FormatError}` is no link node to TypeScript, which parses the braces of @throws as a type. TypeDoc then
// looks for the name in the door of the comment only.

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.addUnknownSymbolResolver((reference, from) => {
    const path = reference.symbolReference?.path
    const [first, ...members] = path?.map(part => part.path) ?? []
    if (reference.moduleSource !== undefined || first === undefined) return undefined
    for (const door of from.project.children ?? []) {
      const found = door.getChildByName([first, ...members])
      if (found) return { target: found, caption: [first, ...members].join('.') }
    }
    return undefined
  })
}
