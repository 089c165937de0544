import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { transformSync } from 'rolldown/utils'
import ts from 'typescript'

/**
 * Writes the whole of lib/ as JavaScript into a new temporary directory, so that a child process of any Node version can
 * import it, and gives the directory. The caller removes it.
 */
export function transpileLibrary(): string {
  const root = resolve(import.meta.dirname, '../..')
  const out = mkdtempSync(join(tmpdir(), 'layerstore-lib-'))
  writeFileSync(join(out, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'))
  const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  for (const file of files.filter(f => f.endsWith('.ts') && !f.endsWith('.d.ts'))) {
    const code = transpile(file, readFileSync(join(root, 'lib', file), 'utf8'))
    const target = join(out, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, code)
  }
  return out
}

/** PERF: the fast compiler wants a package of helpers for `using`, which Node 20 does not know; the slow one brings its own. */
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
  return ts.transpileModule(source, { compilerOptions: { ...compilerOptions, rewriteRelativeImportExtensions: true } })
    .outputText
}
