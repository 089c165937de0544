import { join } from 'node:path'
import { measureCommand } from '../harness/measure/measure-command.mjs'

/** The command line of this library, as built in `input.library`. */
export const commandLine = {
  name: 'layerstore, command line',
  own: true,
  available: () => undefined,
  version: () => `Node ${process.version}`,
  run: (_job, { library, layout, reference }) =>
    measured(layout, [join(library, 'cli', 'main.js'), 'pull', reference, '--store', layout, '--tag', 'app:1']),
}

/** The start of Node without a program: what every command of Node pays. It leaves the layout as it is. */
export const bareStart = {
  name: 'node -e 0',
  available: () => undefined,
  version: () => `Node ${process.version}`,
  run: (_job, { layout }) => measured(layout, ['-e', '0']),
}

async function measured(layout, args) {
  const env = { LAYERSTORE_CONFIG: '/dev/null' }
  const { stdout: _, ...rest } = await measureCommand([process.execPath, ...args], { env })
  return { ...rest, outcome: { layout } }
}
