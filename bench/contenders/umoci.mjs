import { execFileSync } from 'node:child_process'
import { missing, versionOf } from '../harness/find-program.mjs'
import { measureCommand } from '../harness/measure/measure-command.mjs'
import { lastLayerOf } from './oci-layout.mjs'

/**
 * umoci: `repack` makes a layer of what is new in an unpacked image, `unpack` a directory of an image, `gc` removes the
 * rest.
 */
export const umoci = {
  name: 'umoci',
  available: () => missing('umoci'),
  version: () => versionOf('umoci'),
  async run(job, input) {
    if (job === 'collect') return collect(input)
    return job === 'layer' ? repack(input) : unpack(input)
  },
}

/** `umoci insert` would be nearer, but version 0.4.7 writes archives without an end, which do not pass the check. */
async function repack({ directory, scratch }) {
  const image = `${scratch}/umoci:bench`
  const bundle = `${scratch}/bundle`
  const run = (program, ...args) => execFileSync(program, args, { stdio: 'pipe' })
  run('umoci', 'init', '--layout', `${scratch}/umoci`)
  run('umoci', 'new', '--image', image)
  run('umoci', 'unpack', ...rootless(), '--image', image, bundle)
  run('cp', '-a', `${directory}/.`, `${bundle}/rootfs/`)
  const { stdout: _, ...measured } = await measureCommand(['umoci', 'repack', '--image', image, bundle])
  return { ...measured, outcome: lastLayerOf(`${scratch}/umoci`, 'bench') }
}

async function unpack({ layout, tag, scratch }) {
  const bundle = `${scratch}/bundle`
  const command = ['umoci', 'unpack', ...rootless(), '--image', `${layout}:${tag}`, bundle]
  const { stdout: _, ...measured } = await measureCommand(command)
  return { ...measured, outcome: { directory: `${bundle}/rootfs` } }
}

async function collect({ directory }) {
  const { stdout: _, ...measured } = await measureCommand(['umoci', 'gc', '--layout', directory])
  return { ...measured, outcome: {} }
}

function rootless() {
  return process.getuid?.() === 0 ? [] : ['--rootless']
}
