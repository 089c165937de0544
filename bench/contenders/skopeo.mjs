import { missing, versionOf } from '../harness/find-program.mjs'
import { measureCommand } from '../harness/measure/measure-command.mjs'

/** skopeo, between a registry and an OCI layout. */
export const skopeo = {
  name: 'skopeo',
  available: () => missing('skopeo'),
  version: () => versionOf('skopeo'),
  async run(job, { layout, reference }) {
    const remote = `docker://${reference}`
    const copy = ['skopeo', 'copy', '--quiet', '--insecure-policy']
    const command =
      job === 'pull'
        ? [...copy, '--src-tls-verify=false', remote, `oci:${layout}:1`]
        : [...copy, '--dest-tls-verify=false', `oci:${layout}`, remote]
    const { stdout: _, ...measured } = await measureCommand(command)
    return { ...measured, outcome: { layout, reference } }
  },
}
