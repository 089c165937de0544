import { missing, versionOf } from '../harness/find-program.mjs'
import { measureCommand } from '../harness/measure/measure-command.mjs'

/** sha256sum of GNU coreutils. */
export const sha256sum = {
  name: 'sha256sum',
  available: () => missing('sha256sum'),
  version: () => versionOf('sha256sum'),
  async run(_job, { files }) {
    const { stdout, ...measured } = await measureCommand(['sha256sum', ...files])
    const digests = stdout
      .trim()
      .split('\n')
      .map(line => `sha256:${line.slice(0, 64)}`)
    return { ...measured, outcome: { digests } }
  },
}
