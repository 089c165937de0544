import { basename, join, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { memoryDirectory } from './memory-directory.ts'

/**
 * Makes one file of a program of test/helpers and all of lib/ that it imports: a process of any Node version starts it
 * several times as fast as the many files. It is removed with `dispose`.
 */
export async function bundleChild(name: string): Promise<{ path: string } & Disposable> {
  const directory = memoryDirectory('child')
  const path = join(directory.path, basename(name))
  const bundle = await rolldown({
    input: resolve(import.meta.dirname, name),
    platform: 'node',
    // Examples import the package by its name.
    resolve: { alias: { layerstore: resolve(import.meta.dirname, '../../lib/index.ts') } },
    // Node 20 knows no `await using`.
    transform: { target: 'es2022' },
    // What threads are started from stays behind: the children hash too little for threads.
    logLevel: 'silent',
  })
  await bundle.write({ file: path, format: 'esm', codeSplitting: false })
  await bundle.close()
  return { path, [Symbol.dispose]: () => directory[Symbol.dispose]() }
}
