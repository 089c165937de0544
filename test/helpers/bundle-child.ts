import { basename, join, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { threadTexts } from '../../.thread-texts.mjs'
import { memoryDirectory } from './memory-directory.ts'

/**
 * Bundles a program of test/helpers with all of lib/ that it imports into one file. A process of any Node version
 * starts one file several times as fast as many. `dispose` removes it.
 *
 * @param texts - True if the file needs the code of threads and processes.
 */
export async function bundleChild(name: string, texts = false): Promise<{ path: string } & Disposable> {
  const directory = memoryDirectory('child')
  const path = join(directory.path, basename(name))
  try {
    await using bundle = await rolldown({
      input: resolve(import.meta.dirname, name),
      platform: 'node',
      // Examples import the package by its name.
      resolve: { alias: { layerstore: resolve(import.meta.dirname, '../../lib/index.ts') } },
      // Node 20 does not parse `await using`.
      transform: { target: 'es2022' },
      // Else the code of threads is left out: the children hash too little for threads.
      plugins: texts ? [threadTexts()] : [],
      logLevel: 'silent',
    })
    await bundle.write({ file: path, format: 'esm', codeSplitting: false })
  } catch (error) {
    directory[Symbol.dispose]()
    throw error
  }
  return { path, [Symbol.dispose]: () => directory[Symbol.dispose]() }
}
