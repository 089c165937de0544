import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { transformSync } from 'rolldown/utils'
import ts from 'typescript'
import { SHARED } from './whole-run.ts'

/**
 * Compiles lib/ to JavaScript, so that a child process of any Node version and any user can import it. All test files
 * of a run share the directory: a caller may add a file under its own name and removes nothing.
 */
export function transpileLibrary(): string {
  const directory = join(tmpdir(), SHARED)
  if (existsSync(directory)) return directory
  const made = mkdtempSync(`${directory}-`)
  writeLibrary(made)
  try {
    renameSync(made, directory)
  } catch {
    // Another test file has finished first.
    rmSync(made, { recursive: true })
  }
  return directory
}

function writeLibrary(out: string): void {
  const root = resolve(import.meta.dirname, '../..')
  chmodSync(out, 0o755)
  writeFileSync(join(out, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'))
  const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  const pageFiles = files.filter(f => /report.page.*\.(?:js|css)$/.test(f))
  for (const file of pageFiles) {
    mkdirSync(join(out, dirname(file)), { recursive: true, mode: 0o755 })
    writeFileSync(join(out, file), readFileSync(join(root, 'lib', file)), { mode: 0o644 })
  }
  for (const file of files.filter(f => f.endsWith('.ts') && !f.endsWith('.d.ts'))) {
    const code = transpile(file, readFileSync(join(root, 'lib', file), 'utf8'))
    const target = join(out, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 })
    writeFileSync(target, code, { mode: 0o644 })
  }
}

/**
 * PERF: the fast compiler needs a package of helpers for `using`, which Node 20 does not support; the slow one inlines
 * them.
 */
function transpile(file: string, source: string): string {
  if (!/^\s*(await )?using /m.test(source)) {
    const { code, errors } = transformSync(file, source, {
      target: 'es2022',
      typescript: { onlyRemoveTypeImports: true, rewriteImportExtensions: 'rewrite' },
    })
    if (errors[0]) throw errors[0]
    return code
  }
  const { ES2022 } = ts.ScriptTarget
  const compilerOptions = { target: ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  const options = { compilerOptions: { ...compilerOptions, rewriteRelativeImportExtensions: true } }
  // The compiler leaves the names in dynamic imports as they are.
  return ts.transpileModule(source, options).outputText.replace(/(\bimport\('\.[^']*)\.ts'\)/g, "$1.js')")
}
