// Plugin of the build: each module `x-thread-code` becomes one that holds the text of the thread `x-thread`, bundled into
// one CommonJS file; so does `x-process-code` with a process. `hash-wasm-code` becomes one that holds the files of
// hash-wasm. So a bundler that merges the package into one file carries its threads and processes along.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { rolldown } from 'rolldown'

const HASH_WASM = ['sha256', 'sha512', 'blake3', 'bcrypt']

/** @returns {import('rolldown').Plugin} */
export function threadTexts() {
  return {
    name: 'thread-texts',
    async load(id) {
      if (/[\\/]hash-wasm-code\.[jt]s$/.test(id)) return hashWasm(id)
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
