// #region run
import { buildImage, openStore } from 'layerstore'
import { dockerfileStages } from 'layerstore/build'
import { machineSandbox, runImage } from 'layerstore/sandbox'

/** Builds an image from a Dockerfile, runs a command in it, and resolves to its exit code and what it printed. */
export async function buildAndRun(directory: string, dockerfile: string, command: readonly string[]) {
  await using store = await openStore(directory)
  await using sandbox = machineSandbox({ directory: `${directory}/.layerstore/snapshots` })
  await buildImage(store, dockerfileStages(dockerfile), { names: ['app:1'], ...sandbox })
  let output = ''
  const onOutput = (chunk: Uint8Array) => {
    output += Buffer.from(chunk).toString('utf8')
  }
  const { code } = await runImage(store, 'app:1', { command, onOutput, sandbox })
  return { code, output }
}

// #endregion

// #region keep
import { commitContainer, createContainer, removeContainer } from 'layerstore/sandbox'

/** Runs a command in a container that is kept, lists what it has changed, and makes an image of it. */
export async function changeAndCommit(directory: string, command: readonly string[]) {
  await using store = await openStore(directory)
  await using container = await createContainer(store, 'app:1', { id: 'work', command })
  await container.start()
  const changes = await container.changes()
  const image = await commitContainer(store, 'work', { name: 'app:2', message: command.join(' ') })
  await removeContainer(store, 'work')
  return { changes, image }
}
// #endregion
