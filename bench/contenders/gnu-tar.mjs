import { missing, versionOf } from '../harness/find-program.mjs'
import { measureCommand, pipeline } from '../harness/measure/measure-command.mjs'

const TAR = 'tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$1" -cf - .'

/** GNU tar and a compressor in a pipe. No digests are computed: the tools have none. */
function gnuTarWith(compressor, label, command) {
  return {
    name: `tar + ${label}`,
    available: () => missing('tar', compressor),
    version: () => `${versionOf('tar')}, ${versionOf(compressor)}`,
    async run(_job, { directory, scratch, level }) {
      const file = `${scratch}/layer.tar.gz`
      const measured = await measureCommand(
        pipeline(`${TAR} | ${command('"$2"')} -n -c > "$3"`, directory, level, file),
      )
      return { ...measured, outcome: { file } }
    },
  }
}

export const tarAndGzip = gnuTarWith('gzip', 'gzip', level => `gzip -${level}`)
export const tarAndPigz = gnuTarWith('pigz', 'pigz -p2', level => `pigz -p2 -${level}`)

/** The unpacking side: every layer in turn, whiteouts not understood. */
export const pigzAndTar = {
  name: 'pigz -dc + tar',
  available: () => missing('tar', 'pigz'),
  version: () => `${versionOf('tar')}, ${versionOf('pigz')}`,
  async run(_job, { layers, scratch }) {
    const directory = `${scratch}/rootfs`
    const script = 'to=$1; shift; mkdir -p "$to"; for layer; do pigz -dc "$layer" | tar -C "$to" -xpf - || exit; done'
    const measured = await measureCommand(pipeline(script, directory, ...layers))
    return { ...measured, outcome: { directory } }
  },
}
