// For the build: an import from the door of a room becomes an import from the files behind it. The bundler puts all that
// a door names into what an import of the door loads, whether it is used or not; so an import of the package would load
// what only a disk needs.
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const NAMES = /^(import|export) \{([^}]*)\} from ['"]([^'"]*\bindex\.js)['"];$/gm
/** A lazy import that takes names at once; one that keeps the module loads the door. */
const LAZY = /\{([\w$, ]+)\} = await import\(['"]([^'"]*\bindex\.js)['"]\)/g

/**
 * @param {string} dist - Directory of the compiled files.
 * @returns Rewrites the imports of one file.
 */
export function directImports(dist) {
  const doors = new Map()
  const behind = door => {
    if (!doors.has(door)) doors.set(door, namesOf(door))
    return doors.get(door)
  }
  return (code, id) => {
    if (!id.startsWith(dist) || !id.endsWith('.js')) return code
    const sourcesOf = (names, spec) => {
      const files = behind(join(dirname(id), spec))
      const parts = partsOf(names)
      return parts.every(part => files.has(part.split(' as ')[0])) && parts.map(part => sourceOf(part, files, id))
    }
    const direct = code.replace(NAMES, (line, word, names, spec) => {
      const sources = sourcesOf(names, spec)
      return sources ? sources.map(source => `${word} { ${source};`).join(' ') : line
    })
    return direct.replace(LAZY, (text, names, spec) => {
      const sources = sourcesOf(names, spec)
      return sources ? sources.map(lazily).join(', ') : text
    })
  }
}

/** The files that an import of a file loads, lazy imports left out. */
export function loadedWith(entry, rewrite) {
  const loaded = new Set([entry])
  for (const file of loaded) {
    const code = rewrite(readFileSync(file, 'utf8'), file)
    for (const [, spec] of code.matchAll(/(?:^|; ?)(?:import|export)\b[^;'"()]*?['"](\.[^'"]+)['"]/gm)) {
      loaded.add(join(dirname(file), spec))
    }
  }
  return loaded
}

function partsOf(names) {
  return names
    .split(',')
    .map(name => name.trim())
    .filter(Boolean)
}

/** The names that a door exports, each with its file and its name there. */
function namesOf(door) {
  const found = new Map()
  for (const [, names, spec] of readFileSync(door, 'utf8').matchAll(/^export \{([^}]*)\} from ['"]([^'"]+)['"];$/gm)) {
    for (const part of partsOf(names)) {
      const [own, told = own] = part.split(' as ')
      found.set(told, { own, file: join(dirname(door), spec) })
    }
  }
  return found
}

function sourceOf(part, files, id) {
  const [name, told = name] = part.split(' as ')
  const { own, file } = files.get(name)
  const path = relative(dirname(id), file).replaceAll('\\', '/')
  return `${own === told ? own : `${own} as ${told}`} } from '${path.startsWith('.') ? path : `./${path}`}'`
}

/** The lazy form of a result of `sourceOf`. */
function lazily(source) {
  const [names, path] = source.split(' } from ')
  return `{ ${names.replace(' as ', ': ')} } = await import(${path})`
}
