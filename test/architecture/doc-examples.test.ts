import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

/* Each function of the front door has one example in its doc comment, and all of them compile. */

const root = resolve(import.meta.dirname, '../..')
const frontDoor = join(root, 'lib/index.ts')
const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => join(root, 'lib', file))

interface DocExample {
  readonly name: string
  readonly code: string
}

/** Doc comment and name of every exported function and class. */
const DOCUMENTED = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:async )?(?:abstract )?(?:function\*?|class) (\w+)/g
const EXAMPLE = /^ \* @example\n \* ```ts\n([\s\S]*?)^ \* ```$/gm

const documented = files.flatMap(file =>
  [...readFileSync(file, 'utf8').matchAll(DOCUMENTED)].map(([, comment, name]) => ({
    name: name!,
    tags: comment!.split('\n').filter(line => line.includes('@example')).length,
    examples: [...comment!.matchAll(EXAMPLE)].map(
      ([, lines]): DocExample => ({ name: name!, code: lines!.replaceAll(/^ \* ?/gm, '') }),
    ),
  })),
)

test('each function of the front door has exactly one example', () => {
  const acts = namesIn(frontDoor).filter(name => /^[a-z]/.test(name))
  expect(acts.length).toBeGreaterThan(50)
  const examplesOf = (name: string) => documented.filter(act => act.name === name).flatMap(act => act.examples)
  expect(acts.filter(name => examplesOf(name).length !== 1)).toEqual([])
})

test('every example is a block of TypeScript that this file finds', () => {
  const tags = files.map(file => readFileSync(file, 'utf8').split('@example').length - 1)
  const found = documented.flatMap(({ examples }) => examples)
  expect(found.length).toBe(tags.reduce((sum, count) => sum + count))
})

test('every example of a doc comment compiles', () => {
  const path = join(root, 'test/doc-examples.ts')
  const text = programOf(documented.flatMap(({ examples }) => examples))
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = file => file === path || fileExists(file)
  host.getSourceFile = (file, ...rest) =>
    file === path ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022) : getSourceFile(file, ...rest)
  const program = ts.createProgram({ rootNames: [path], options, host })
  const source = program.getSourceFile(path)!
  const faults = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  expect(faults.map(({ start, messageText }) => [exampleAt(text, start!), messageText])).toEqual([])
})

/** All examples as one file, each in a function of the name of its act, with what they take for granted. */
function programOf(examples: readonly DocExample[]): string {
  const all = examples.map(({ code }) => code).join('\n')
  const doors = [frontDoor, ...files.filter(file => /^lib\/[^/]+\/index\.ts$/.test(relative(root, file)))]
  const from = new Map(doors.reverse().flatMap(door => namesIn(door).map(name => [name, relative(root, door)])))
  const imports = [...from].filter(([name]) => new RegExp(`\\b${name}\\(`).test(all) || /^[A-Z]/.test(name))
  return `${imports.map(([name, door]) => `import { ${name} } from '../${door}'`).join('\n')}
import type * as layerstore from '../lib/index.ts'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'

declare const store: layerstore.Store
declare const registry: layerstore.RegistryClient
declare const index: layerstore.ImageIndex
declare const layer: layerstore.WrittenLayer
declare const digest: layerstore.Digest
declare const bytes: Uint8Array
declare const tar: AsyncIterable<Uint8Array>

${examples.map(({ name, code }) => `async function ${name}Example() {\n${code}}`).join('\n')}
`
}

/** Name of the function of the program that a position is in. */
function exampleAt(text: string, at: number): string {
  return /.*^async function (\w+)/ms.exec(text.slice(0, at))?.[1] ?? text.slice(at, at + 60)
}

/** Values that a door exports by name. */
function namesIn(door: string): string[] {
  const text = readFileSync(door, 'utf8')
  const lists = [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list]) => list!.split(','))
  return lists.map(name => name.trim()).filter(name => name !== '' && !name.startsWith('type '))
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
}
