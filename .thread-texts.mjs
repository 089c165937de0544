// Plugin of the build: each module `x-thread-code` becomes one that holds the text of the thread `x-thread`, bundled into
// one CommonJS file; so does `x-process-code` with a process. `hash-wasm-code` becomes one that holds the files of
// hash-wasm, `page-code` one with the script and the style of report pages. So a bundler that merges the package into
// one file carries all of them along.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const HASH_WASM = ['sha256', 'sha512', 'blake3', 'bcrypt']

/** @returns {import('rolldown').Plugin} */
export function threadTexts() {
  return {
    name: 'thread-texts',
    async load(id) {
      if (/[\\/]hash-wasm-code\.[jt]s$/.test(id)) return hashWasm(id)
      if (/[\\/]page-code\.[jt]s$/.test(id)) return pageCode()
      const [, name] = /[\\/]([a-z-]+-(?:thread|process))-code\.[jt]s$/.exec(id) ?? []
      if (name === undefined) return null
      const text = await textOf(id.replace(/-code(\.[jt]s)$/, '$1'))
      // scan-thread: SCAN_THREAD.
      return `export const ${name.toUpperCase().replaceAll('-', '_')} = { text: ${JSON.stringify(text)} }`
    },
  }
}

function hashWasm(id) {
  const { resolve } = createRequire(id)
  const texts = HASH_WASM.map(file => [file, readFileSync(resolve(`hash-wasm/dist/${file}.umd.min.js`), 'utf8')])
  return `const TEXTS = ${JSON.stringify(Object.fromEntries(texts))}\nexport function hashWasmCode(file) { return TEXTS[file] }`
}

/** The files of a page, which the compiler leaves in lib/. */
async function pageCode() {
  const page = join(import.meta.dirname, 'lib/inspect/report/page')
  const bundle = await rolldown({ input: join(page, 'main.js'), platform: 'browser' })
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false, minify: true, comments: false })
  await bundle.close()
  const style = readFileSync(join(page, 'style.css'), 'utf8').replaceAll(/\n\s*/g, '\n')
  const code = { script: output[0].code, style }
  return `const CODE = ${JSON.stringify(code)}\nexport function pageCode() { return CODE }`
}

async function textOf(input) {
  const bundle = await rolldown({
    input,
    platform: 'node',
    external: /^node:/,
    transform: { target: 'es2022' },
    // A process has threads of its own.
    plugins: [threadTexts()],
  })
  const { output } = await bundle.generate({ format: 'cjs', codeSplitting: false, minify: true, comments: { legal: true } })
  await bundle.close()
  return output[0].code
}
