import { availableParallelism } from 'node:os'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const strict = { branches: 95 }
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/whole-run.ts'],
    execArgv: ['--import', new URL('./test/helpers/typescript-in-threads.mjs', import.meta.url).href],
    // One core fewer, Vitest's own choice, leaves half of a small machine idle: many tests wait for other programs.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A busy machine makes any wait long. A wait that will never end fails within the time of its test.
    expect: { poll: { timeout: 25_000 } },
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      // What runs in a thread or is a program of its own is not seen by the provider.
      exclude: ['lib/**/*.d.ts', 'lib/cli/main.ts', 'lib/**/*-thread.ts'],
      reporter: ['text-summary', 'json-summary', 'json'],
      reportsDirectory: 'dist/coverage',
      thresholds: {
        branches: 85,
        'lib/digest/**': strict,
        'lib/oci/**': strict,
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
