import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { confined, rooms as floors, side } from './rooms.ts'

const rooms = { ...floors, ...side }

const lib = resolve(import.meta.dirname, '../../lib')
const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter(f => f.endsWith('.ts'))
  .map(f => join(lib, f))
const roomOf = (file: string) => {
  const parts = relative(lib, file).split(sep)
  return parts.length === 1 ? '.' : parts[0]!
}
const imports = files.flatMap(from =>
  ts.preProcessFile(readFileSync(from, 'utf8'), true, true).importedFiles.map(i => ({ from, spec: i.fileName })),
)

const where = (i: { from: string; spec: string }) => `${relative(lib, i.from)} -> ${i.spec}`

test('a room imports only the rooms below it, through their index.ts', () => {
  const bad = imports.filter(({ from, spec }) => {
    if (!spec.startsWith('.')) return false
    const target = resolve(dirname(from), spec)
    const [a, b] = [roomOf(from), roomOf(target)]
    if (a === b) return false
    if (a === '.') return !target.endsWith('index.ts')
    const door = b === 'internal' || target === join(lib, b, 'index.ts')
    return !(rooms[a]?.includes(b) && door)
  })
  expect(bad.map(where)).toEqual([])
})

test('the rooms table itself is a DAG in floor order', () => {
  const order = Object.keys(floors)
  const bad = Object.entries(floors).flatMap(([room, below]) =>
    below.filter(b => order.indexOf(b) < 0 || order.indexOf(b) >= order.indexOf(room)).map(b => `${room} -> ${b}`),
  )
  expect(bad).toEqual([])
})

test('no import cycles between files', () => {
  const graph = new Map<string, string[]>(files.map(f => [f, []]))
  for (const { from, spec } of imports) if (spec.startsWith('.')) graph.get(from)!.push(resolve(dirname(from), spec))
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[] = []
  const visit = (f: string, path: string[]) => {
    if (state.get(f) === 'done') return
    if (state.get(f) === 'open') {
      cycles.push([...path.slice(path.indexOf(f)), f].map(p => relative(lib, p)).join(' -> '))
      return
    }
    state.set(f, 'open')
    for (const t of graph.get(f) ?? []) visit(t, [...path, f])
    state.set(f, 'done')
  }
  for (const f of files) visit(f, [])
  expect(cycles).toEqual([])
})

test('no two folders import each other, at any depth', () => {
  const ways = new Map<string, string[]>()
  for (const { from, spec } of imports.filter(i => i.spec.startsWith('.'))) {
    const way = folderWay(relative(lib, dirname(from)), relative(lib, dirname(resolve(dirname(from), spec))))
    if (way) ways.set(way, [...(ways.get(way) ?? []), where({ from, spec })])
  }
  const back = (way: string) => way.split(' -> ').reverse().join(' -> ')
  const both = [...ways].filter(([way]) => ways.has(back(way)))
  expect(Object.fromEntries(both)).toEqual({})
})

/**
 * The two folders at which the paths of the importing and the imported folder part; `undefined` if one contains the
 * other.
 */
function folderWay(from: string, to: string): string | undefined {
  const [a, b] = [from.split(sep), to.split(sep)]
  const shared = a.findIndex((name, i) => name !== b[i])
  if (shared < 0 || shared >= b.length) return undefined
  return `${a.slice(0, shared + 1).join('/')} -> ${b.slice(0, shared + 1).join('/')}`
}

test('the folders of an import are compared where their ways part', () => {
  expect(folderWay('store/disk/blobs', 'store/disk/batch')).toBe('store/disk/blobs -> store/disk/batch')
  expect(folderWay('store/disk/blobs/a', 'tar')).toBe('store -> tar')
  expect(folderWay('store', 'store/disk')).toBeUndefined()
  expect(folderWay('store/disk', 'store')).toBeUndefined()
})

test('one exported name is one concept: no name is declared and exported by two files', () => {
  const places = new Map<string, string[]>()
  for (const file of files) {
    for (const name of exportedNames(readFileSync(file, 'utf8'))) {
      places.set(name, [...(places.get(name) ?? []), relative(lib, file)])
    }
  }
  const twice = [...places].filter(([, found]) => found.length > 1)
  expect(Object.fromEntries(twice)).toEqual({})
})

const DECLARED = /^export (?:async )?(?:abstract )?(?:function\*?|class|interface|type|const|enum) (\w+)/gm

/** Names that a file declares and exports, overloads once. Re-exports are not counted. */
function exportedNames(text: string): Set<string> {
  return new Set([...text.matchAll(DECLARED)].map(match => match[1]!))
}

/** The confined package that an import reaches, be it by a path inside the package. */
const confinedPackageOf = (spec: string) =>
  Object.keys(confined).find(name => spec === name || spec.startsWith(`${name}/`))

test('heavy or unsafe dependencies stay in their room', () => {
  const bad = imports.filter(({ from, spec }) => {
    const name = confinedPackageOf(spec)
    return name !== undefined && !confined[name]!.includes(roomOf(from)!)
  })
  expect(bad.map(where)).toEqual([])
})

test('a path inside a package is confined like the package', () => {
  expect(confinedPackageOf('hash-wasm/dist/sha256.umd.min.js')).toBe('hash-wasm')
  expect(confinedPackageOf('hash-wasm')).toBe('hash-wasm')
  expect(confinedPackageOf('hash-wasm-other')).toBeUndefined()
})

test('builtins are imported with their prefix, so that the table of confined ones cannot be walked around', () => {
  expect(imports.filter(({ spec }) => builtinModules.includes(spec)).map(where)).toEqual([])
})

test('every room but internal has a door', () => {
  const names = [...new Set(files.map(roomOf))].filter(room => room !== '.' && room !== 'internal')
  expect(names.filter(room => !files.includes(join(lib, room!, 'index.ts')))).toEqual([])
})

test('every room is in the table', () => {
  const names = [...new Set(files.map(roomOf))].filter(room => room !== '.')
  expect(names.filter(room => !(room! in rooms))).toEqual([])
})

test('no room has 15 % of the code of lib/', () => {
  const bytes = new Map<string, number>()
  for (const file of files) bytes.set(roomOf(file), (bytes.get(roomOf(file)) ?? 0) + readFileSync(file).byteLength)
  const all = [...bytes.values()].reduce((sum, one) => sum + one, 0)
  expect([...bytes].filter(([, one]) => one >= 0.15 * all)).toEqual([])
})

test('no file over 400 lines', () => {
  const bad = files.filter(f => readFileSync(f, 'utf8').split('\n').length > 400)
  expect(bad.map(f => relative(lib, f))).toEqual([])
})
