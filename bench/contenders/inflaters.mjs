import { missing, versionOf } from '../harness/find-program.mjs'
import { measureCommand, pipeline } from '../harness/measure/measure-command.mjs'

function inflater(program) {
  return {
    name: `${program} -dc`,
    available: () => missing(program),
    version: () => versionOf(program),
    async run(_job, { file }) {
      const { stdout, ...measured } = await measureCommand(pipeline(`${program} -dc "$1" | wc -c`, file))
      return { ...measured, outcome: { bytes: Number(stdout) } }
    },
  }
}

export const gzipInflate = inflater('gzip')
export const pigzInflate = inflater('pigz')
