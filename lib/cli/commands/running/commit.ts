import { openSandbox } from '../../running/open-sandbox.ts'
import type { Session } from '../../session/session.ts'

/** Options of `commit`. */
export interface CommitCommandOptions {
  readonly author?: string
  readonly message?: string
  readonly change?: readonly string[]
}

/** `commit ID [NAME]`: makes an image of a container, and prints its digest. */
export async function commit(
  session: Session,
  id: string,
  name: string | undefined,
  { author, message, change }: CommitCommandOptions,
): Promise<void> {
  const { commitContainer } = await import('../../../sandbox/index.ts')
  const store = await session.containerStore({ create: false })
  await using sandbox = await openSandbox(session)
  const { signal } = session
  const image = await commitContainer(store, id, { name, author, message, changes: change, sandbox, signal })
  const { digest } = image.descriptor
  session.result(digest, { ...image.descriptor, name: name ?? null, layers: image.layers.length })
}
