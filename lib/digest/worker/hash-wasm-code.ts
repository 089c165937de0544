import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The files of hash-wasm that worker threads load. */
export type HashWasmFile = 'sha256' | 'sha512' | 'blake3' | 'bcrypt'

/**
 * The text of a file of hash-wasm, for a worker thread. The build replaces this module by one that holds the texts, so
 * that any bundler carries them along.
 */
export function hashWasmCode(file: HashWasmFile): string {
  return readFileSync(createRequire(import.meta.url).resolve(`hash-wasm/dist/${file}.umd.min.js`), 'utf8')
}
