import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'

/** Cache of compiled files: loading the compiler takes most of the start time. */
const cache = new URL('../../node_modules/.cache/layerstore-typescript/', import.meta.url)

/** Module hook of Node: compiles TypeScript files to JavaScript. */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const text = await readFile(new URL(url), 'utf8')
  const kept = new URL(`${createHash('sha256').update(`${url}\n${text}`).digest('hex')}.js`, cache)
  const source = await readFile(kept, 'utf8').catch(() => compile(url, text, kept))
  return { format: 'module', source, shortCircuit: true }
}

async function compile(url, text, kept) {
  const { default: ts } = await import('typescript')
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
    fileName: url,
  })
  await mkdir(cache, { recursive: true })
  const part = new URL(`${kept.href}.${process.pid}-${Math.random()}`)
  await writeFile(part, outputText)
  await rename(part, kept)
  return outputText
}
