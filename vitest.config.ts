import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const strict = { branches: 95 }
const root = import.meta.dirname
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.test.ts'))
  .map(name => join('test', name))
/** Test files that replace modules, or measure the memory of their process. */
const apart = files.filter(file => /\bvi\.mock\(|\bmemoryUsage\b/.test(readFileSync(join(root, file), 'utf8')))
const common = {
  root,
  execArgv: ['--import', new URL('./test/helpers/typescript-in-threads.mjs', import.meta.url).href],
  // A busy machine makes any wait long: these times find what never ends. A wait ends within the time of its test.
  testTimeout: 120_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 100_000 } },
}
// Examples import the package by its name, as its users do.
const resolve = {
  alias: [
    { find: /^layerstore$/, replacement: join(root, 'lib/index.ts') },
    { find: /^layerstore\/([a-z-]+)$/, replacement: join(root, 'lib/$1/index.ts') },
  ],
}
const config: ViteUserConfig = defineConfig({
  test: {
    globalSetup: ['test/helpers/whole-run.ts'],
    // One core fewer, Vitest's own choice, leaves half of a small machine idle: many tests wait for other programs.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      // PERF: one process for many test files: starting one and loading lib/ for each file takes 0.2 s of processor time.
      {
        resolve,
        test: { ...common, name: 'tests', include: files.filter(file => !apart.includes(file)), isolate: false },
      },
      { resolve, test: { ...common, name: 'apart', include: apart } },
    ],
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      // What runs in a thread or is a program of its own is not seen by the provider.
      exclude: ['lib/**/*.d.ts', 'lib/cli/main.ts', 'lib/**/*-thread.ts'],
      // The last that is printed is the summary of the tests.
      reporter: ['json-summary', 'json'],
      reportsDirectory: 'dist/coverage',
      thresholds: {
        branches: 85,
        'lib/digest/**': strict,
        'lib/oci/**': strict,
        'lib/dockerfile/**': strict,
        'lib/tar/**': strict,
        'lib/layer/**': strict,
        'lib/store/**': strict,
        'lib/disk-store/**': strict,
        'lib/maintenance/**': strict,
        'lib/rootfs/**': strict,
      },
    },
  },
})
export default config
