import { openSandbox } from '../../running/open-sandbox.ts'
import type { Session } from '../../session/session.ts'

const LETTERS = { added: 'A', changed: 'C', deleted: 'D' } as const

/** `diff ID`: prints what a container has changed in the files of its image, as `docker diff` does. */
export async function containerChanges(session: Session, id: string): Promise<void> {
  const { openContainer } = await import('../../../sandbox/index.ts')
  const store = await session.containerStore({ create: false })
  session.advice = `two images are compared by "layerstore diff ${id} OTHER"`
  await using sandbox = await openSandbox(session)
  await using container = await openContainer(store, id, { sandbox })
  session.advice = undefined
  const changes = await container.changes({ signal: session.signal })
  session.result(
    changes.map(({ kind, path }) => `${LETTERS[kind]} ${path}`),
    { id: container.id, changes },
  )
}
