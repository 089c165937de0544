import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build as esbuild } from 'esbuild'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import webpack from 'webpack'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const root = resolve(import.meta.dirname, '../..')
/** Where the application is built, with the package among its dependencies, and where its bundles run, with nothing. */
let [project, empty]: ReturnType<typeof temporaryDirectory>[] = []
let expected: unknown

beforeAll(() => {
  project = temporaryDirectory('bundler')
  empty = temporaryDirectory('bundled')
  mkdirSync(join(project.path, 'node_modules'))
  symlinkSync(root, join(project.path, 'node_modules/layerstore'))
  writeFileSync(join(project.path, 'app.mjs'), readFileSync(join(root, 'test/helpers/bundled-app.mjs')))
  expected = run(join(project.path, 'app.mjs'))
})
afterAll(() => {
  project?.[Symbol.dispose]()
  empty?.[Symbol.dispose]()
})

/** Runs a program as a whole process, in the folder without node_modules. */
function run(...args: string[]): unknown {
  const work = join(empty!.path, `run-${Math.random()}`)
  mkdirSync(work)
  return JSON.parse(execFileSync(process.execPath, [...args, work], { cwd: empty!.path, encoding: 'utf8' }))
}

/** Runs a program in a worker thread of a process. */
function runInThread(file: string): unknown {
  const program = `
    const { Worker } = require('node:worker_threads')
    const worker = new Worker(process.argv[1], { workerData: process.argv[2] })
    worker.once('message', text => process.stdout.write(text, () => process.exit()))
    worker.once('error', error => { throw error })`
  return run('-e', program, file)
}

/**
 * The same digests, made with the same threads: one for hashing, one for reading, one for writing, one for passwords.
 */
function expectAsExpected(file: string): void {
  expect(run(file)).toEqual(expected)
  expect(runInThread(file)).toEqual(expected)
}

test('the application that is bundled below uses a thread of each kind', () => {
  expect(existsSync(join(root, 'dist/index.js')), 'needs npm run build').toBe(true)
  expect(expected).toMatchObject({
    threads: 4,
    hashed: true,
    failed: [],
    warnings: [],
    files: 301,
    right: true,
    hasPageCode: true,
  })
})

// SPEC: esbuild keeps `require` of CommonJS packages; in a module the application has to make one (esbuild.github.io).
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

test.each([
  ['esm', 'mjs', { js: REQUIRE }],
  ['cjs', 'cjs', {}],
] as const)(
  'one file made by esbuild as %s works without node_modules, threads included',
  async (format, ending, banner) => {
    const outfile = join(empty!.path, `esbuild.${ending}`)
    const entryPoints = [join(project!.path, 'app.mjs')]
    await esbuild({ entryPoints, outfile, bundle: true, platform: 'node', format, banner, logLevel: 'silent' })
    expectAsExpected(outfile)
  },
)

test('one file made by rolldown works without node_modules, threads included', async () => {
  const file = join(empty!.path, 'rolldown.mjs')
  await using bundle = await rolldown({ input: join(project!.path, 'app.mjs'), platform: 'node' })
  await bundle.write({ file, format: 'esm', codeSplitting: false })
  expectAsExpected(file)
})

test('one file made by webpack works without node_modules, threads included, and without a warning', async () => {
  const output = { path: empty!.path, filename: 'webpack.cjs' }
  const plugins = [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })]
  const compiler = webpack({
    mode: 'production',
    target: 'node',
    entry: join(project!.path, 'app.mjs'),
    output,
    plugins,
  })
  const stats = await new Promise<webpack.Stats | undefined>((done, fail) =>
    compiler!.run((error, result) => (error ? fail(error) : done(result))),
  )
  expect(stats!.toString({ all: false, errors: true, warnings: true })).toBe('')
  await new Promise(done => compiler!.close(done))
  expectAsExpected(join(output.path, output.filename))
})
