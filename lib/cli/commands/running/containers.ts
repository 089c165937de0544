import { LayerStoreError } from '../../../errors/index.ts'
import { parseAmount } from '../../amounts/parse-amount.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { CONTAINER_HEADINGS, containerRows } from '../../inspecting/container-rows.ts'
import { formatTemplate } from '../../printing/format-template.ts'
import { openSandbox } from '../../running/open-sandbox.ts'
import type { Session } from '../../session/session.ts'

/** Options of `containers`. */
export interface ContainersOptions {
  readonly force?: boolean
  readonly time?: string
  /** `false` with `--no-trunc`. */
  readonly trunc?: boolean
  readonly format?: string
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

async function list(session: Session, { trunc = true, format = 'table' }: ContainersOptions): Promise<void> {
  const { listContainers } = await import('../../../sandbox/index.ts')
  await using sandbox = await openSandbox(session)
  const store = await session.storeIfAny()
  const found = store ? await listContainers(store, { sandbox }) : []
  const isPlain = format === 'table'
  if (session.json || (isPlain && session.quiet)) {
    return session.result(
      found.map(({ id }) => id),
      found,
    )
  }
  const columns = '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.CreatedAt}}\t{{.Status}}'
  const rows = containerRows(found, { full: !trunc, now: new Date() })
  session.raw(Buffer.from(formatTemplate(isPlain ? `table ${columns}` : format, rows, CONTAINER_HEADINGS)))
}

/** Removes containers with what they have written. */
export async function removeContainers(
  session: Session,
  ids: readonly string[],
  { force = false }: ContainersOptions,
): Promise<void> {
  const { removeContainer } = await import('../../../sandbox/index.ts')
  const store = await session.containerStore({ create: false })
  await using sandbox = await openSandbox(session)
  for (const id of ids) {
    try {
      await removeContainer(store, id, { force, sandbox })
    } catch (error) {
      const isRunning = LayerStoreError.is(error) && error.code === 'ERR_CONTAINER_RUNNING'
      if (isRunning) session.advice = '"layerstore containers stop ID" ends one that runs, --force kills it'
      throw error
    }
  }
  session.result(ids, { removed: ids })
}

async function stop(session: Session, ids: readonly string[], { time }: ContainersOptions): Promise<void> {
  const { stopContainer } = await import('../../../sandbox/index.ts')
  const store = await session.containerStore({ create: false })
  const { signal } = session
  const timeoutMs = time === undefined ? undefined : parseAmount('--time', time, 'count') * 1000
  for (const id of ids) await stopContainer(store, id, { timeoutMs, signal })
  session.result(ids, { stopped: ids })
}
