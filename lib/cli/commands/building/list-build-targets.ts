import { type DockerfileTarget, listTargets, parseDockerfile } from '../../../dockerfile/index.ts'
import { locationOf } from '../../building/location-of.ts'
import { printJson } from '../../printing/print.ts'
import type { Session } from '../../session/session.ts'

/** `build --call=targets`: prints the stages that can be built, as docker does, as a table or as JSON. */
export function listBuildTargets(
  session: Session,
  text: string,
  { file, json }: { file: string; json: boolean },
): void {
  const targets = listTargets(parseDockerfile(text, { file }))
  const rows = targets.map(({ name, isDefault, description = '' }) => {
    const shown = [...(name === undefined ? [] : [name]), ...(isDefault ? ['(default)'] : [])]
    return [shown.join(' '), description]
  })
  const data = { targets: targets.map(jsonOf), sources: [Buffer.from(text).toString('base64')] }
  if (json) printJson(session.terminal.stdout, data)
  else session.result(session.table(['TARGET', 'DESCRIPTION'], rows), data)
}

/** SPEC: the members and their order are those of BuildKit's subrequest `frontend.targets`. */
function jsonOf({ name, isDefault, description, base, platform, position }: DockerfileTarget) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(isDefault ? { default: true } : {}),
    ...(description === undefined ? {} : { description }),
    base,
    ...(platform === undefined ? {} : { platform }),
    location: locationOf(position),
  }
}
