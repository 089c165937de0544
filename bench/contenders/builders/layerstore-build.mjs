import { join } from 'node:path'
import { measureCommand } from '../../harness/measure/measure-command.mjs'
import { lastLayerOf } from '../oci-layout.mjs'

const NAME = 'bench:1'

/** This library's command line, a process for each build. The store of an input is its cache. */
export const layerstoreBuild = {
  name: 'layerstore build',
  own: true,
  available: () => undefined,
  version: () => `Node ${process.version}`,
  async run(_job, { context, state, library, noCache = false }) {
    const { stdout: _, ...measured } = await measureCommand([
      process.execPath,
      ...[join(library, 'cli', 'main.js'), '--store', state, 'build', context, '-t', NAME, '--quiet'],
      ...(noCache ? ['--no-cache'] : []),
    ])
    return { ...measured, outcome: { layer: () => lastLayerOf(state, NAME) } }
  },
}
