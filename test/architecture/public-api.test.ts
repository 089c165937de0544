import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const snapshot = join(import.meta.dirname, 'public-api.json')

/** The doors that package.json opens, by their public name. Rooms that are not built yet are left out. */
const doors = Object.entries<string | { types: string }>(
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports,
).flatMap(([name, target]) => {
  if (typeof target === 'string') return []
  const file = join(root, target.types.replace(/^\.\/dist\//, 'lib/').replace(/\.d\.ts$/, '.ts'))
  return existsSync(file) ? [{ name, file }] : []
})

/** Name and kind of everything that a door exports; what is marked `@internal` is for other rooms and not listed. */
function exportsOf(program: ts.Program, file: string): Record<string, string> {
  const checker = program.getTypeChecker()
  const door = checker.getSymbolAtLocation(program.getSourceFile(file)!)
  const names = (door ? checker.getExportsOfModule(door) : [])
    .map(alias => ({
      name: alias.name,
      symbol: alias.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias,
    }))
    .filter(({ symbol }) => !symbol.getJsDocTags(checker).some(tag => tag.name === 'internal'))
    .map(({ name, symbol }) => [name, kindOf(symbol)] as const)
  return Object.fromEntries(names.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function kindOf(symbol: ts.Symbol): string {
  if (symbol.flags & ts.SymbolFlags.Class) return 'class'
  if (symbol.flags & ts.SymbolFlags.Function) return 'function'
  return symbol.flags & ts.SymbolFlags.Variable ? 'const' : 'type'
}

test('the doors export what the snapshot lists (UPDATE_API=1 writes it anew)', () => {
  const program = ts.createProgram({
    rootNames: doors.map(door => door.file),
    options: { ...ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config.compilerOptions, ...settings },
  })
  const actual = Object.fromEntries(doors.map(door => [door.name, exportsOf(program, door.file)]))
  if (process.env.UPDATE_API) writeFileSync(snapshot, `${JSON.stringify(actual, null, 2)}\n`)
  expect(Object.values(actual).every(names => Object.keys(names).length > 0)).toBe(true)
  expect(actual).toEqual(JSON.parse(readFileSync(snapshot, 'utf8')))
})

test('the front door exports at most 90 values', () => {
  const root = JSON.parse(readFileSync(snapshot, 'utf8'))['.'] as Record<string, string>
  const values = Object.values(root).filter(kind => kind !== 'type')
  expect(values.length).toBeLessThanOrEqual(90)
})

const settings: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  noEmit: true,
}
