import { parseReference } from '../../oci/index.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'

/** `tags REPOSITORY`: lists the tags of a repository, one a line as they come. */
export async function tags(session: Session, text: string): Promise<void> {
  const name = text.replace(/^docker:\/\//, '')
  const { registry, repository, tag, digest } = parseReference(name)
  if (digest !== undefined || name.endsWith(`:${tag}`))
    throw new UsageError(`tags takes a repository, without tag: ${name}`)
  const client = await session.registry()
  const all: string[] = []
  for await (const one of client.listTags({ registry, repository }, { signal: session.signal })) {
    // A repository may have a million tags: those that are there need not wait for the rest.
    if (session.json) all.push(one)
    else session.result(one, one)
  }
  if (session.json) session.result('', all)
}
