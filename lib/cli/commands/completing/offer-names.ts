import { openSandbox } from '../../running/open-sandbox.ts'
import type { Session } from '../../session/session.ts'

/**
 * SAFETY: a shell writes what it completes into the command line as it is. A name that another tool wrote into the
 * store could hold `$(…)`, so only names of the characters of references are listed.
 */
const SAFE = /^[\w][\w.:/@+-]*$/

/** Most names that a shell is given. */
const MOST = 10_000

/** `__complete image|container`: prints the names that a shell completes, one a line. Creates no store. */
export async function offerNames(session: Session, kind: string): Promise<void> {
  const names = kind === 'container' ? await containerIds(session) : await imageNames(session)
  session.result(
    names.filter(name => SAFE.test(name)),
    names,
  )
}

async function imageNames(session: Session): Promise<string[]> {
  const store = await session.storeIfAny()
  const names: string[] = []
  for await (const { name } of store?.references.list({ signal: session.signal }) ?? []) {
    if (names.push(name) >= MOST) break
  }
  return names.sort()
}

async function containerIds(session: Session): Promise<string[]> {
  const store = await session.storeIfAny()
  if (!store) return []
  const { listContainers } = await import('../../../sandbox/index.ts')
  await using sandbox = await openSandbox(session)
  return (await listContainers(store, { sandbox })).map(({ id }) => id)
}
