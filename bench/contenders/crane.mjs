import { missing } from '../harness/find-program.mjs'
import { measureCommand } from '../harness/measure/measure-command.mjs'

/** The command that runs crane; `CRANE` may name it with arguments: `CRANE="chroot /srv/tools crane"`. */
const COMMAND = (process.env.CRANE ?? 'crane').split(' ')

/** crane of go-containerregistry: appends a layer to an image in a registry. */
export const crane = {
  name: 'crane',
  available: () => (process.env.CRANE ? undefined : missing('crane')),
  version: () => 'crane',
  async run(_job, { base, layer, target }) {
    // By standard input, so that a crane with another root directory can read the layer.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash expands it.
    const append = ['bash', '-c', 'exec "${@:2}" < "$1"', 'append', layer, ...COMMAND]
    const options = ['append', '--insecure', '-b', base, '-f', '-', '-t', target]
    const { stdout: _, ...measured } = await measureCommand([...append, ...options])
    return { ...measured, outcome: { target } }
  },
}
