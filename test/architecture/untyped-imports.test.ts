import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

/* The compiler checks neither .mjs files nor programs that a test writes as text: a renamed export breaks them. */

const root = resolve(import.meta.dirname, '../..')
const sources = ['test', 'bench']
  .flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => /\.(ts|mjs)$/.test(name))
      .map(name => join(root, folder, name)),
  )
  .filter(file => file !== import.meta.filename)

interface NamedImport {
  readonly from: string
  readonly target: string
  readonly names: readonly string[]
}

test('programs that the compiler does not check import only names that exist', () => {
  const imports = sources.flatMap(file => {
    const text = readFileSync(file, 'utf8')
    return [...(file.endsWith('.mjs') ? importsOf(file, text) : []), ...libraryImportsIn(file, text)]
  })
  const wrong = imports.flatMap(({ from, target, names }) => {
    const exported = exportsOf(target)
    const missing = names.filter(name => !exported?.has(name))
    return missing.length === 0 ? [] : [`${relative(root, from)}: ${missing} of ${relative(root, target)}`]
  })
  expect(wrong).toEqual([])
  expect(imports.length).toBeGreaterThan(100)
})

test('an import of a name or a file that does not exist is found', () => {
  const file = join(root, 'test/helpers/child.mjs')
  const [store, gone, plain] = importsOf(
    file,
    `import { openStore, planCollection as plan } from '../../lib/disk-store/index.ts'
import { a } from './gone.mjs'
import { join } from 'node:path'`,
  )
  expect(store!.names.filter(name => !exportsOf(store!.target)?.has(name))).toEqual(['planCollection'])
  expect(exportsOf(gone!.target)).toBeUndefined()
  expect(plain).toBeUndefined()
  const text = 'const child = `import { openStore } from "./disk-store/index.js"`; await load(library)'
  expect(libraryImportsIn(file, text)).toEqual([])
  expect(libraryImportsIn(file, "const { openStore, x: y } = await load(library, 'store/index')")).toEqual([
    { from: file, target: join(root, 'lib/store/index.ts'), names: ['openStore', 'x'] },
  ])
})

/** Named imports of a file from files of this project. */
function importsOf(from: string, text: string): NamedImport[] {
  const source = ts.createSourceFile(from, text, ts.ScriptTarget.ES2022)
  return source.statements.flatMap(statement => {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) return []
    const { text: specifier } = statement.moduleSpecifier
    const bindings = statement.importClause?.namedBindings
    if (!specifier.startsWith('.') || !bindings || !ts.isNamedImports(bindings)) return []
    const names = bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text)
    return [{ from, target: sourceOf(resolve(dirname(from), specifier)), names }]
  })
}

/** The source of a built file of the library; any other file itself. */
function sourceOf(file: string): string {
  const built = join(root, 'dist/')
  return file.startsWith(built) ? join(root, 'lib', file.slice(built.length).replace(/\.js$/, '.ts')) : file
}

/** Imports of the built or transpiled library: in programs as text, and in benchmarks that load a given build. */
const FROM_LIBRARY = [
  /import \{([^}]*)\} from '\.\/([\w/-]+)\.js'/g,
  /const \{([^}]*)\} = await load\(library(?:, '([\w/-]+)')?\)/g,
  /const \{([^}]*)\} = await import\(`\$\{library\}\/([\w/-]+)\.js`\)/g,
  /const \{([^}]*)\} = await import\((room\('[\w-]+'\))\)/g,
  /import \{([^}]*)\} from \$\{(?:JSON\.stringify\()?(room\('[\w-]+'\))/g,
]

function libraryImportsIn(from: string, text: string): NamedImport[] {
  return FROM_LIBRARY.flatMap(pattern =>
    [...text.matchAll(pattern)].map(([, names, door = 'index']) => ({
      from,
      target: join(root, 'lib', `${door.replace(/^room\('(.*)'\)$/, '$1/index')}.ts`),
      names: names!.split(',').flatMap(
        name =>
          name
            .trim()
            .split(/:| as /)[0]!
            .trim() || [],
      ),
    })),
  )
}

const known = new Map<string, Set<string>>()

/** Names of the values that a file exports; `undefined` if it does not exist. */
function exportsOf(file: string): Set<string> | undefined {
  if (!existsSync(file)) return undefined
  const found = known.get(file) ?? new Set(valuesOf(file))
  known.set(file, found)
  return found
}

function valuesOf(file: string): string[] {
  const { statements } = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022)
  return statements.flatMap(statement => {
    if (ts.isExportDeclaration(statement)) {
      const { exportClause, isTypeOnly } = statement
      if (isTypeOnly || !exportClause || !ts.isNamedExports(exportClause)) return []
      return exportClause.elements.flatMap(({ isTypeOnly, name }) => (isTypeOnly ? [] : name.text))
    }
    const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined
    if (!modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return []
    if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.flatMap(namesIn)
    return ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) ? (statement.name?.text ?? []) : []
  })
}

function namesIn({ name }: { readonly name: ts.BindingName }): string[] {
  if (ts.isIdentifier(name)) return [name.text]
  return name.elements.flatMap(element => (ts.isBindingElement(element) ? namesIn(element) : []))
}
