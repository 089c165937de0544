// #region build
import { from, type Store } from 'layerstore'
import { machineSandbox } from 'layerstore/sandbox'

/** Builds an image with a command, as the user of this process. `directory` is for unpacked layers. */
export async function build(store: Store, base: string, directory: string) {
  await using sandbox = machineSandbox({ directory })
  const { executor, snapshots } = sandbox
  const { works, reason, note } = await executor.probe()
  if (!works) throw new Error(`no command can run here: ${reason}`)
  if (note !== undefined) console.warn(note)
  return from(base).run('id > /who').build(store, { executor, snapshots })
}
// #endregion
