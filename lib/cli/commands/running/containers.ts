import type { ContainerInfo } from '../../../sandbox/index.ts'
import { parseAmount } from '../../arguments/parse-amount.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { openSandbox } from '../../running/open-sandbox.ts'
import type { Session } from '../../session/session.ts'

/** Options of `containers`. */
export interface ContainersOptions {
  readonly force?: boolean
  readonly time?: string
  /** `false` with `--no-trunc`. */
  readonly trunc?: boolean
}

/** `containers [ls]`, `containers rm ID…` and `containers stop ID…`. */
export async function containers(
  session: Session,
  act: string,
  ids: readonly string[],
  options: ContainersOptions,
): Promise<void> {
  if (act === 'ls' && ids.length === 0) return list(session, options)
  if (act !== 'rm' && act !== 'stop') throw new UsageError('containers takes ls, rm ID… or stop ID…')
  if (ids.length === 0) throw new UsageError(`containers ${act} takes the ids of containers`)
  return act === 'rm' ? removeContainers(session, ids, options) : stop(session, ids, options)
}

async function list(session: Session, { trunc = true }: ContainersOptions): Promise<void> {
  const { listContainers } = await import('../../../sandbox/index.ts')
  const store = await session.storeIfAny()
  await using sandbox = await openSandbox(session)
  const found = store ? await listContainers(store, { sandbox }) : []
  const rows = found.map(container => {
    const { id, image, process, created } = container
    const command = process.args.join(' ')
    const shown = trunc ? shortened(command) : command
    return [id, image, shown, created.slice(0, 19).replace('T', ' '), stateOf(container)]
  })
  session.result(session.table(['ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATE'], rows), found)
}

const COMMAND_WIDTH = 40

function shortened(text: string): string {
  return text.length > COMMAND_WIDTH ? `${text.slice(0, COMMAND_WIDTH - 1)}…` : text
}

function stateOf({ state, pid, exitCode }: ContainerInfo): string {
  if (state === 'running') return pid === undefined ? 'running' : `running, process ${pid}`
  return state === 'exited' ? `exited with ${exitCode}` : state
}

/** Removes containers with what they have written. */
export async function removeContainers(
  session: Session,
  ids: readonly string[],
  { force = false }: ContainersOptions,
): Promise<void> {
  const { removeContainer } = await import('../../../sandbox/index.ts')
  const store = await session.store({ create: false })
  await using sandbox = await openSandbox(session)
  if (!force) session.advice = '"layerstore containers stop ID" ends one that runs, --force kills it'
  for (const id of ids) await removeContainer(store, id, { force, sandbox })
  session.advice = undefined
  session.result(ids, { removed: ids })
}

async function stop(session: Session, ids: readonly string[], { time }: ContainersOptions): Promise<void> {
  const { stopContainer } = await import('../../../sandbox/index.ts')
  const store = await session.store({ create: false })
  const { signal } = session
  const timeoutMs = time === undefined ? undefined : parseAmount('--time', time, 'count') * 1000
  for (const id of ids) await stopContainer(store, id, { timeoutMs, signal })
  session.result(ids, { stopped: ids })
}
