import type { Sandbox } from '../../sandbox/index.ts'
import { FirstUse } from '../session/first-use.ts'

/**
 * Returns a sandbox that is made for the first command. PERF: most rebuilds run none, and the code of the sandboxes is
 * a tenth of what a build loads.
 *
 * @param open - Makes the sandbox; called once.
 */
export function lazySandbox(open: () => Promise<Sandbox>): Sandbox {
  const sandbox = new FirstUse(open)
  return {
    executor: {
      // The name is used only after a probe.
      get name() {
        return sandbox.opened?.executor.name ?? 'sandbox'
      },
      probe: async options => (await sandbox.open()).executor.probe(options),
      run: async process => (await sandbox.open()).executor.run(process),
    },
    snapshots: {
      openStack: async (store, layers, options) => (await sandbox.open()).snapshots.openStack(store, layers, options),
      removePlace: async directory => (await sandbox.open()).snapshots.removePlace?.(directory),
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  }
}
