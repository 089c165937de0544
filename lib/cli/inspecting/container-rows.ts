import type { ContainerInfo } from '../../sandbox/index.ts'
import { formatAge } from '../printing/format-age.ts'
import type { TemplateRow } from '../printing/format-template.ts'

/** Fields of `containers --format`, with the names of `docker ps`. */
export const CONTAINER_HEADINGS = {
  ID: 'ID',
  Names: 'NAMES',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED',
  RunningFor: 'CREATED',
  State: 'STATE',
  Status: 'STATE',
} as const

const COMMAND_WIDTH = 40

/** Makes the rows of `containers`. The ID is the name of a container too. */
export function containerRows(
  containers: readonly ContainerInfo[],
  { full, now }: { readonly full: boolean; readonly now: Date },
): TemplateRow[] {
  return containers.map(container => {
    const { id, image, process, created, state } = container
    const command = process.args.join(' ')
    return {
      ID: id,
      Names: id,
      Image: image,
      Command: full ? command : shortened(command),
      CreatedAt: created.slice(0, 19).replace('T', ' '),
      RunningFor: formatAge(new Date(created), now),
      State: state,
      Status: statusOf(container),
    }
  })
}

function shortened(text: string): string {
  const letters = [...text]
  return letters.length > COMMAND_WIDTH ? `${letters.slice(0, COMMAND_WIDTH - 1).join('')}…` : text
}

function statusOf({ state, pid, exitCode }: ContainerInfo): string {
  if (state === 'running') return pid === undefined ? 'running' : `running, process ${pid}`
  return state === 'exited' ? `exited with ${exitCode}` : state
}
