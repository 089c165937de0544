import type { Sandbox } from '../../sandbox/index.ts'

/**
 * A sandbox that is made for the first command. PERF: most rebuilds run none, and the code of the sandboxes is a tenth
 * of what a build loads.
 *
 * @param open - Makes the sandbox; called once.
 */
export function lazySandbox(open: () => Promise<Sandbox>): Sandbox {
  let opening: Promise<Sandbox> | undefined
  let sandbox: Sandbox | undefined
  const opened = async () => {
    opening ??= open()
    sandbox = await opening
    return sandbox
  }
  return {
    executor: {
      // Asked for only after a probe.
      get name() {
        return sandbox?.executor.name ?? 'sandbox'
      },
      probe: async options => (await opened()).executor.probe(options),
      run: async process => (await opened()).executor.run(process),
    },
    snapshots: {
      openStack: async (store, layers, options) => (await opened()).snapshots.openStack(store, layers, options),
      removePlace: async directory => (await opened()).snapshots.removePlace?.(directory),
    },
    async [Symbol.asyncDispose]() {
      await sandbox?.[Symbol.asyncDispose]()
    },
  }
}
