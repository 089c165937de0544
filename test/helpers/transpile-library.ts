import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
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
    const { outputText } = ts.transpileModule(readFileSync(join(root, 'lib', file), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    })
    const target = join(out, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, outputText)
  }
  return out
}
