import { parseReference } from '../../../oci/index.ts'
import { UsageError } from '../../failing/usage-error.ts'
import type { Session } from '../../session/session.ts'

/** `tags REPOSITORY`: lists the tags of a repository, one per line, as the pages arrive. */
export async function tags(session: Session, text: string): Promise<void> {
  const name = text.replace(/^docker:\/\//, '')
  const { registry, repository, tag, digest } = parseReference(name)
  if (digest !== undefined || name.endsWith(`:${tag}`))
    throw new UsageError(`tags takes a repository, without tag: ${name}`)
  const client = await session.registry()
  const all: string[] = []
  for await (const one of client.listTags({ registry, repository }, { signal: session.signal })) {
    // A repository may have a million tags: each is printed as it arrives. A JSON document is printed once, at the end.
    if (session.json) all.push(one)
    else session.result(one, one)
  }
  if (session.json) session.result('', all)
}
