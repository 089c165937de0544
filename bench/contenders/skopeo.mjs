import { missing, versionOf } from '../harness/find-program.mjs'
import { measureCommand } from '../harness/measure/measure-command.mjs'

/** skopeo, between a registry or an archive and an OCI layout. */
export const skopeo = {
  name: 'skopeo',
  available: () => missing('skopeo'),
  version: () => versionOf('skopeo'),
  async run(job, input) {
    const { stdout: _, ...measured } = await measureCommand([
      'skopeo',
      'copy',
      '--quiet',
      '--insecure-policy',
      // Else it compresses layers that are not.
      ...(input.preserve ? ['--preserve-digests'] : []),
      ...ARGUMENTS[job](input),
    ])
    const { reference, archive, layout = input.target } = input
    return { ...measured, outcome: { layout, reference, archive } }
  },
}

const ARGUMENTS = {
  pull: ({ layout, reference }) => ['--src-tls-verify=false', `docker://${reference}`, `oci:${layout}:1`],
  push: ({ layout, reference }) => ['--dest-tls-verify=false', `oci:${layout}`, `docker://${reference}`],
  save: ({ layout, archive }) => [`oci:${layout}:app:1`, `oci-archive:${archive}:app:1`],
  load: ({ target, archive }) => [`oci-archive:${archive}:app:1`, `oci:${target}:app:1`],
}
