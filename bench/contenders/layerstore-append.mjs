import { join } from 'node:path'
import { measureCommand } from '../harness/measure/measure-command.mjs'

/** The command line of this library, as built in `input.library`: one process, with an empty store. */
export const layerstoreAppend = {
  name: 'layerstore append',
  own: true,
  available: () => undefined,
  version: () => `Node ${process.version}`,
  async run(_job, { library, scratch, base, file, target }) {
    const program = [process.execPath, join(library, 'cli/main.js'), '--store', join(scratch, 'store'), '--quiet']
    const append = ['append', base, '--platform', 'linux/amd64', '--file', `${file}:/etc/app.json`, '--push', target]
    const { stdout: _, ...measured } = await measureCommand([...program, ...append])
    return { ...measured, outcome: { target } }
  },
}
